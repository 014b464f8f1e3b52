/** An extraction that was broken off goes on with --skip-existing, also where the archive corrects what it has stored. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload, remove, rename, rewriting } from '../helpers/archive-bytes.js';
import { walkChunks } from '../helpers/chunk-walk.js';
import { run } from '../helpers/cli.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf, writeTree } from '../helpers/tree.js';

const packed = (text: string): Buffer => qpressFile(Buffer.from(text));

/** What DDL during a backup makes of a stream: removals, renames, names that are used again, rewritten and emptied files. */
const bytes = archive(
  file('ibdata1', noise(5000), 2000),
  file('d/dropped.MYD', 'dropped'),
  file('d/old.MYD', 'renamed content', 5),
  file('d/same.frm', 'version 1'),
  file('d/grows.frm', 'short'),
  file('d/emptied.MYD', 'rows'),
  file('d/packed.frm.qp', packed('packed 1')),
  file('d/stays.ibd', noise(3000, 2), 1000),
  remove('d/dropped.MYD'),
  remove('d/never.MYD'),
  rename('d/old.MYD', 'd/new.MYD'),
  rename('d/missing', 'd/stays.ibd'),
  file('d/old.MYD', 'another table'),
  rewriting('d/same.frm', 'version 2'),
  end('d/same.frm'),
  rewriting('d/grows.frm', 'much longer than before'),
  end('d/grows.frm'),
  end('d/emptied.MYD'),
  file('d/dropped.MYD', 'created again'),
  rename('d/dropped.MYD', 'd/swap'),
  rename('d/new.MYD', 'd/dropped.MYD'),
  rename('d/swap', 'd/new.MYD'),
  rewriting('d/packed.frm.qp', packed('packed 2')),
  end('d/packed.frm.qp'),
  file('d/empty.CSV', ''),
  file('xtrabackup_info', 'tool_name = mariabackup\n'),
);
const right = {
  ibdata1: noise(5000),
  'd/new.MYD': 'created again',
  'd/dropped.MYD': 'renamed content',
  'd/old.MYD': 'another table',
  'd/same.frm': 'version 2',
  'd/grows.frm': 'much longer than before',
  'd/emptied.MYD': '',
  'd/packed.frm.qp': packed('packed 2'),
  'd/stays.ibd': noise(3000, 2),
  'd/empty.CSV': '',
  xtrabackup_info: 'tool_name = mariabackup\n',
};
const cuts = walkChunks(bytes).map(({ end: place }) => place);

async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all([worker(), worker(), worker()]);
}

describe('an extraction that was broken off', () => {
  test('what this test takes for right is what is unpacked', async (context) => {
    const target = tempDir(context);
    assertEnded(await run(['-x', '-C', target], { stdin: { kind: 'pipe', bytes } }), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf(right));
  });

  test(`behind any of ${cuts.length} chunks goes on from a file`, async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    await inTurns(sampled(cuts, 12, 5), async (cut) => {
      const target = tempDir(context);
      await run(['-x', '-C', target], { stdin: { kind: 'pipe', bytes: bytes.subarray(0, cut) } });
      if (SOAK || cuts.indexOf(cut) % 12 === 5) {
        const before = readTree(target);
        const dry = await run(['extract', '-q', '--dry-run', '--skip-existing', path, '-C', target]);
        assert.equal(dry.code, EXIT.ok, `cut at ${cut}: ${dry.stderr}`);
        assert.deepEqual(readTree(target), before);
      }
      const { code, stderr } = await run(['extract', '-q', '--skip-existing', path, '-C', target]);
      assert.deepEqual([code, stderr], [EXIT.ok, ''], `cut at ${cut}`);
      assert.deepEqual(readTree(target), treeOf(right), `cut at ${cut}`);
    });
  });

  test('goes on from a pipe with --overwrite, and where --skip-existing cannot it says what does', async (context) => {
    let resumed = 0;
    await inTurns(sampled(cuts, 14, 1), async (cut) => {
      const target = tempDir(context);
      const stdin = { kind: 'pipe', bytes } as const;
      await run(['-x', '-C', target], { stdin: { kind: 'pipe', bytes: bytes.subarray(0, cut) } });
      const { code, stderr } = await run(['-x', '-C', target, '--skip-existing'], { stdin });
      if (code === EXIT.ok) {
        resumed += 1;
      } else {
        assert.equal(code, EXIT.refused, `cut at ${cut}: ${stderr}`);
        assert.match(stderr, /read the archive from a file/);
        assert.match(stderr, /--overwrite/);
        assertEnded(await run(['-x', '-C', target, '--overwrite'], { stdin }), EXIT.ok);
      }
      assert.deepEqual(readTree(target), treeOf(right), `cut at ${cut}`);
    });
    assert.ok(resumed > 0);
  });

  test('with layers undone', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    const others = Object.fromEntries(Object.entries(right).filter(([name]) => !name.endsWith('.qp')));
    await inTurns(sampled(cuts.slice(-6), 6), async (cut) => {
      const target = tempDir(context);
      const part = { kind: 'pipe', bytes: bytes.subarray(0, cut) } as const;
      await run(['-x', '--decompress', '-C', target], { stdin: part });
      const { code, stderr } = await run(['extract', '-q', '--decompress', '--skip-existing', path, '-C', target]);
      assert.deepEqual([code, stderr], [EXIT.ok, ''], `cut at ${cut}`);
      assert.deepEqual(readTree(target), treeOf({ ...others, 'd/packed.frm': 'packed 2' }), `cut at ${cut}`);
    });
  });

  test('touches no file that is none of the archive, whatever its name and size', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, archive(payload('x', 0, 'guess'), end('x'), remove('x'), file('y', 'y')));
    const target = tempDir(context);
    writeTree(target, { x: 'yours' });
    const result = await run(['extract', '-q', '--skip-existing', path, '-C', target]);
    assertEnded(result, EXIT.refused, /x was kept as it was, but the archive changes it later/);
    assert.deepEqual(readTree(target)['x'], treeOf({ x: 'yours' })['x']);
  });

  test('knows a file again that the archive wanted removed before it held one of that name', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, archive(remove('x'), rename('y', 'z'), file('x', 'created'), file('y', 'later')));
    const target = tempDir(context);
    for (const time of ['first', 'second']) {
      assertEnded(await run(['extract', '-q', '--skip-existing', path, '-C', target]), EXIT.ok);
      assert.deepEqual(readTree(target), treeOf({ x: 'created', y: 'later' }), `the ${time} time`);
    }
  });

  test('knows a file again of which two stored names may have been that of the target', async (context) => {
    const path = join(tempDir(context), 'archive');
    const twice = [file('d/x', 'same'), remove('d/x'), file('e/x', 'same'), remove('e/x')];
    fs.writeFileSync(path, archive(...twice, file('e/y', 'y')));
    const target = tempDir(context);
    writeTree(target, { x: 'same' });
    const words = ['--strip-components', '1', '--skip-existing'];
    assertEnded(await run(['extract', '-q', ...words, path, '-C', target]), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ y: 'y' }));
  });

  test('knows a file again that had another name before it got the one that is asked for', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, archive(file('d/old', 'rows'), rename('d/old', 'd/new'), file('x', 'x')));
    const target = tempDir(context);
    writeTree(target, { 'd/old': 'rows' });
    assertEnded(await run(['extract', '-q', '--skip-existing', path, 'd/new', '-C', target]), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ 'd/new': 'rows' }));
  });

  test('ends where a file that is kept loses its name to a rename, and --keep-going goes on', async (context) => {
    const bytes = archive(file('d/x', 'there'), rename('d/x', 'other'), file('d/y', 'y'));
    const target = tempDir(context);
    writeTree(target, { 'd/x': 'there' });
    const words = ['--keep-going', '--skip-existing', '-C', target, '-', 'd'];
    const result = await run(['extract', '-q', ...words], { stdin: { kind: 'pipe', bytes } });
    assertEnded(result, EXIT.refused, /d\/x was kept as it was, but the archive changes it later/);
    assert.deepEqual(readTree(target), treeOf({ 'd/x': 'there', 'd/y': 'y' }));
  });
});
