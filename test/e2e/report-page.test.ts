/** What people see of a report, in a browser: by day and by night, on a telephone and on paper, with keys and for a screen reader. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { openBrowser, openPage, type OpenedPage } from '../helpers/browser.js';
import { run } from '../helpers/cli.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

/** Several databases, one damaged file, and names that would like to be more. */
const BACKUP = archive(
  file('ibdata1', noise(120_000)),
  file('shop/orders.ibd', noise(300_000, 2), 30_000),
  file('shop/customers.ibd', noise(200_000, 3), 30_000),
  file('shop/orders.frm', noise(900, 4)),
  payload('crm/leads.ibd', 0, noise(50_000, 5), { crc: 7 }),
  payload('crm/leads.ibd', 50_000, noise(50_000, 6)),
  end('crm/leads.ibd'),
  file('crm/<img src=x onerror=alert(1)>.ibd', noise(60_000, 7)),
  file('web/\'"--></script><script>alert(2)<|script>.ibd', noise(40_000, 8)),
  file('xtrabackup_checkpoints', 'backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 4711\n'),
  file('xtrabackup_info', 'tool_name = mariadb-backup\nserver_version = 11.4.2-MariaDB <script>alert(3)</script>\n'),
);

const hasChromium = fs.existsSync('/usr/bin/chromium');

describe(
  'a report in a browser',
  { skip: !hasChromium && process.env['CI'] !== 'true' && 'chromium is not installed' },
  () => {
    const cleanups: (() => void)[] = [];
    let browser: Browser;
    let folder = '';

    before(async () => {
      folder = tempDir({ after: (work) => cleanups.push(work) });
      browser = await openBrowser();
    });
    after(async () => {
      await browser.close();
      for (const cleanup of cleanups) cleanup();
    });

    const pages = new Map<Buffer, Promise<string>>();
    /** @returns where the page about an archive is */
    const reported = async (bytes: Buffer): Promise<string> => {
      const path = join(folder, `${pages.size}`);
      fs.writeFileSync(path, bytes);
      await run(['report', path, '-o', `${path}.html`]);
      return `${path}.html`;
    };
    const open = async (bytes: Buffer, options: BrowserContextOptions = {}): Promise<OpenedPage> => {
      const page = pages.get(bytes) ?? reported(bytes);
      pages.set(bytes, page);
      return openPage(browser, await page, options);
    };
    const tile = (page: Page, name: string) => page.locator(`.tile[title^="${name}"]`);

    const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
      [1280, 360].map((width) => ({ colorScheme, width })),
    );
    for (const { colorScheme, width } of sampled(looks, 4, 3)) {
      test(`${colorScheme}, ${width} pixels wide: nothing is asked for, nothing goes wrong, nothing bars anyone`, async () => {
        const options = { colorScheme, viewport: { width, height: 800 }, bypassCSP: true };
        const { page, assertQuiet } = await open(BACKUP, options);
        const isTooWide = await page.evaluate(
          'document.documentElement.scrollWidth > document.documentElement.clientWidth',
        );
        assert.equal(isTooWide, false, 'it scrolls sideways');
        await page.addScriptTag({ content: axe.source });
        const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
        assert.deepEqual(
          violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
        );
        assertQuiet();
      });
    }

    test('names from the archive are text, and no handler in an attribute would run', async () => {
      const { page, assertQuiet } = await open(BACKUP);
      assert.equal(await page.locator('img').count(), 0);
      assert.equal(await page.locator('script').count(), 2);
      await page.getByLabel('Name holds').fill('onerror');
      assert.equal(
        await page.locator('#file-list tbody tr').innerText(),
        'crm/<img src=x onerror=alert(1)>.ibd\t58.6 KiB\t2\twhole',
      );
      assertQuiet();
      const refused = page.waitForEvent('console', (message) => message.text().includes('Content Security Policy'));
      await page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<a onclick="alert(4)" id="evil">x</a>')`);
      await page.locator('#evil').click();
      await refused;
    });

    test('the treemap shows databases by size, and in each its tables; a press looks into one', async () => {
      const { page, assertQuiet } = await open(BACKUP);
      const shop = tile(page, 'shop: ');
      const area = async (name: string): Promise<number> => {
        const { width, height } = (await tile(page, name).boundingBox())!;
        return width * height;
      };
      assert.ok((await area('shop: ')) > (await area('crm: ')));
      const ratio = (await area('shop.orders')) / (await area('shop.customers'));
      assert.ok(ratio > 1.3 && ratio < 1.7, `300 to 200 is ${ratio}`);
      await shop.click({ position: { x: 5, y: 5 } });
      assert.equal(await tile(page, 'crm').count(), 0);
      assert.match(await page.locator('.path').innerText(), /all databases\s+shop: 3 files, 489 KiB in 21 chunks/);
      await page.getByRole('button', { name: 'all databases' }).click();
      assert.ok(await shop.isVisible());
      assertQuiet();
    });

    test('keys: tab goes to the treemap, arrows move in it, Enter looks into it, Escape goes back', async () => {
      const { page, assertQuiet } = await open(BACKUP);
      await page.locator('.treemap [tabindex="0"]').focus();
      const focused = (): Promise<string | null> => page.evaluate('document.activeElement.getAttribute("aria-label")');
      assert.match((await focused())!, /^shop 489 KiB: database/);
      const seen = new Set([await focused()]);
      for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowLeft', 'End', 'Home']) {
        await page.keyboard.press(key);
        seen.add(await focused());
      }
      assert.ok(seen.size >= 4, [...seen].join('; '));
      assert.match((await focused())!, /^shop 489 KiB: database/);
      await page.keyboard.press('Enter');
      assert.match((await focused())!, /^orders .* shop\.orders/);
      await page.keyboard.press('Escape');
      assert.match((await focused())!, /^shop 489 KiB: database/);
      // One stop for all tiles: the next is what comes behind the treemap.
      await page.keyboard.press('Tab');
      assert.doesNotMatch((await focused()) ?? '', /(database|table)/);
      assertQuiet();
    });

    test('what is selected shows on the map; damage is told in words, and is not only red', async () => {
      const { page, assertQuiet } = await open(BACKUP);
      const labelsOf = (cells: string): Promise<string[]> =>
        page.evaluate(`[...document.querySelectorAll('${cells}')].map((cell) => cell.getAttribute('aria-label'))`);
      const labels = await labelsOf('.strip .cell');
      const damaged = labels.filter((label) => label.endsWith('DAMAGED'));
      assert.ok(damaged.length >= 45 && damaged.every((label) => label.includes('crm/leads.ibd')), damaged.join('\n'));
      assert.equal(await page.locator('.strip .cell', { hasText: '✕' }).count(), damaged.length);
      await page.locator('#file-list').getByRole('button', { name: 'shop/orders.ibd' }).click();
      const held = await labelsOf('.strip .held');
      assert.deepEqual(
        held,
        labels.filter((label) => label.includes('shop/orders.ibd')),
      );
      await page.getByLabel('only files that are not whole').check();
      assert.equal(await page.locator('#file-list tbody tr').count(), 1);
      assert.match(await page.locator('#file-list tbody').innerText(), /crm\/leads\.ibd.*not whole/s);
      await page.locator('.strip [tabindex="0"]').focus();
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-label")'), labels[1]);
      assert.equal(await page.locator('#archive-map .line').innerText(), labels[1]);
      assertQuiet();
    });

    test('on paper it is by day, and without what only a screen can do', async () => {
      const { page, assertQuiet } = await open(BACKUP, { colorScheme: 'dark' });
      await page.emulateMedia({ media: 'print' });
      assert.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)');
      assert.equal(await page.getByLabel('Name holds').isVisible(), false);
      assert.ok(await tile(page, 'shop: ').isVisible());
      assertQuiet();
    });

    test('without scripts the facts, the problems, what to do, and the sizes of databases are there', async () => {
      const { page } = await open(BACKUP, { javaScriptEnabled: false });
      const text = await page.locator('main').innerText();
      for (const part of [
        'Not whole',
        'XB_BAD_CRC',
        '11.4.2-MariaDB',
        'extract --keep-going',
        'By database',
        'shop\t2\t3\t489 KiB\tall',
      ]) {
        assert.ok(text.includes(part), `${part}\n${text}`);
      }
    });

    test('no tile of the treemap is larger than its share, or reaches over another, also on a telephone', async () => {
      const files = Array.from({ length: 60 }, (_, at) => file(`db${at % 3}/t${at}.ibd`, noise(1 + at ** 3, at)));
      const { page } = await open(archive(...files, file('ibdata1', noise(10, 1))), {
        viewport: { width: 360, height: 740 },
      });
      const overlapping = await page.evaluate(`(() => {
        const area = document.querySelector('.treemap').getBoundingClientRect();
        const tiles = [...document.querySelectorAll('.tile.inner')].map((tile) => tile.getBoundingClientRect());
        const isOut = (tile) => tile.right > area.right + 1 || tile.bottom > area.bottom + 1;
        const meet = (a, b) => a.left + 1 < b.right && b.left + 1 < a.right && a.top + 1 < b.bottom && b.top + 1 < a.bottom;
        return [tiles.length, tiles.filter(isOut).length, tiles.filter((tile, at) => tiles.slice(at + 1).some((other) => meet(tile, other))).length];
      })()`);
      const [tiles, outside, over] = overlapping as [number, number, number];
      assert.ok(tiles > 40, String(tiles));
      assert.deepEqual([outside, over], [0, 0]);
    });

    test('each of the databases of three hundred customers can be seen, and what follows them found', async () => {
      const files = Array.from({ length: 300 }, (_, at) => file(`customer_${at}/t.ibd`, noise(3000 + at, at)));
      const { page } = await open(archive(...files));
      assert.equal(await page.locator('.tile').count(), 300);
      const { height } = (await page.locator('.databases').boundingBox())!;
      assert.ok(height < 500, `the table of databases is ${height} pixels high`);
    });

    test('where there is no file there is no empty place for a treemap', async () => {
      const { page, assertQuiet } = await open(Buffer.from('# no archive\n'));
      assert.equal(await page.locator('.treemap').isVisible(), false);
      assertQuiet();
    });

    const many = SOAK ? 10_000 : 2_500;
    test(`${many.toLocaleString('en')} files open, and can be looked through`, async () => {
      const files = Array.from({ length: many }, (_, at) =>
        file(`db${at % 12}/table_${at}.ibd`, noise(1 + ((at * 37) % 2000), at)),
      );
      const { page, assertQuiet } = await open(archive(...files, file('xtrabackup_info', 'tool_name = x\n')));
      await page.getByLabel('Name holds').fill(`table_${many - 1}`);
      assert.equal(await page.locator('#file-list tbody tr').count(), 1);
      await page.getByLabel('Name holds').fill('');
      await page.getByRole('button', { name: 'Show more' }).click();
      assert.equal(await page.locator('#file-list tbody tr').count(), 550);
      assert.ok((await page.locator('.tile').count()) < 1000);
      assertQuiet();
    });
  },
);
