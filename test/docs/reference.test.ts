/** What docs/ says of the program is so. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pathFromText } from '../../dist/format/stored-path.js';
import { Selection } from '../../dist/archive/selection/selection.js';
import { exitCodeFor } from '../../dist/cli/exit-codes.js';
import type { XbstreamErrorCode } from '../../dist/errors.js';
import { pages } from '../../scripts/reference.js';
import { run } from '../helpers/cli.js';
import { tempDir } from '../helpers/temp.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const textOf = (name: string): string => fs.readFileSync(join(PROJECT, name), 'utf8');

/** Cells of the lines of a page's tables. */
function rowsOf(page: string): string[][] {
  const lines = textOf(page).split('\n');
  return lines
    .filter((line) => /^\|(?! ---)/.test(line))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

/** As the type in src/errors.ts has them. */
const CODES = Array.from(
  textOf('src/errors.ts').matchAll(/^ {2}\| '(XB_\w+)'/gm),
  ([, code]) => code as XbstreamErrorCode,
);

describe('docs/', () => {
  test('json.md and options.md are as "npm run reference" makes them', async () => {
    for (const [page, text] of Object.entries(await pages())) assert.equal(textOf(`docs/${page}`), text, page);
  });

  test('errors.md has every code, once, with its exit code, a cause and a cure', () => {
    assert.ok(CODES.length > 20);
    const rows = rowsOf('docs/errors.md').filter(([, code]) => code!.startsWith('`XB_'));
    assert.deepEqual(
      rows.map(([, code, exit]) => [code, exit]).sort(),
      CODES.map((code) => [`\`${code}\``, String(exitCodeFor([code]))]).sort(),
    );
    for (const [, code, , cause, cure] of rows) assert.ok(cause !== '' && cure !== '', code);
  });

  test('the schema has every code', () => {
    const schema = JSON.parse(textOf('docs/json.schema.json')) as { $defs: { code: { enum: string[] } } };
    assert.deepEqual(schema.$defs.code.enum.sort(), [...CODES].sort());
  });

  test('each exit code that errors may have is explained', () => {
    const explained = rowsOf('docs/errors.md').map(([, first]) => first);
    for (const code of CODES) assert.ok(explained.includes(String(exitCodeFor([code]))), code);
  });
});

/** Rows of "what is asked for, what it takes, what it leaves" under a heading of patterns.md. */
function examplesUnder(heading: string): (readonly [asked: string, takes: string[], leaves: string[]])[] {
  const [, section = ''] = textOf('docs/patterns.md').split(`## ${heading}\n`);
  const lines = section.split(/^## /m)[0]!.split('\n');
  const from = lines.findIndex((line) => line.endsWith('| takes | leaves |'));
  const rows = lines.slice(from + 2);
  return rows.slice(0, rows.indexOf('')).map((line) => {
    const [, asked, takes, leaves] = line.split('|');
    const words = (cell = ''): string[] => Array.from(cell.matchAll(/(`+) ?(.*?) ?\1/g), ([, , word]) => word!);
    return [words(asked)[0]!, words(takes), words(leaves)];
  });
}

describe('patterns.md', () => {
  for (const [heading, select] of [
    ['Patterns', (asked: string) => new Selection({ include: [asked], exclude: [] })],
    ['`--tables` and `--databases`', (asked: string) => new Selection({ include: [], exclude: [], tables: [asked] })],
  ] as const) {
    const examples = examplesUnder(heading);
    test(`has examples of ${heading}`, () => assert.ok(examples.length >= 5));
    for (const [asked, takes, leaves] of examples) {
      test(`${asked} takes what it says`, () => {
        const selection = select(asked);
        for (const name of takes) assert.ok(selection.wants(pathFromText(name)), `takes ${name}`);
        for (const name of leaves) assert.ok(!selection.wants(pathFromText(name)), `leaves ${name}`);
        if (heading !== 'Patterns') return;
        const without = new Selection({ include: [], exclude: [asked] });
        for (const name of takes) assert.ok(!without.wants(pathFromText(name)), `--exclude leaves ${name}`);
      });
    }
  }
});

/** What a link may name in a page, as GitHub makes it of headings. */
function anchorsOf(page: string): string[] {
  const headings = textOf(page)
    .replace(/^```[^]*?^```$/gm, '')
    .matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('links between pages', () => {
  const docs = fs.readdirSync(join(PROJECT, 'docs')).filter((name) => name.endsWith('.md'));
  const roots = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'];
  const others = ['samples/README.md', 'bench/README.md', 'src/format.md'];
  for (const page of [...roots, ...others, ...docs.map((name) => `docs/${name}`)]) {
    test(page, () => {
      const links = Array.from(textOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!);
      const isThere = (link: string): boolean => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        if (!fs.existsSync(join(PROJECT, target))) return false;
        return anchor === undefined || anchorsOf(target).includes(anchor);
      };
      assert.deepEqual(
        links.filter((link) => !/^[a-z]+:/.test(link) && !isThere(link)),
        [],
      );
    });
  }

  test('README leads to every page of docs/', () => {
    const readme = textOf('README.md');
    assert.deepEqual(
      [...docs, 'json.schema.json'].filter((name) => !readme.includes(`(docs/${name})`)),
      [],
    );
  });
});

test('what README shows of a run is what is printed', async (context) => {
  const cwd = tempDir(context);
  const shown = Array.from(textOf('README.md').matchAll(/^```\n([^]*?)^```$/gm), ([, block]) => block!);
  const asTimeless = (text: string): string => text.replace(/ in [\d.]+ s(?:, [\d.]+ \S+ of archive)?/, '');
  const holds = (said: string): void =>
    assert.ok(shown.map(asTimeless).includes(asTimeless(said)), `README does not show this:\n${said}`);

  const sample = (name: string): string => join(PROJECT, 'samples', name);
  const words = ['extract', sample('mariadb-full-qpress.xbstream'), '--decompress', '-C', 'restored'];
  holds((await run(words, { cwd })).stdout);
  fs.writeFileSync(join(cwd, 'cut.xbstream'), fs.readFileSync(sample('percona-plain.xbstream')).subarray(0, 200_000));
  fs.rmSync(join(cwd, 'restored'), { recursive: true });
  holds((await run(['extract', 'cut.xbstream', '-C', 'restored'], { cwd })).stderr);
});

test('README installs by commands that docs/install.md has, which are run as they stand there', () => {
  const [, section = ''] = textOf('README.md').split('\n## Install\n');
  const rows = section
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const commands = rows.flatMap((row) => Array.from(row.matchAll(/`([a-z]+ [^`]+)`/g), ([, command]) => command!));
  assert.ok(commands.length >= 3, commands.join());
  const blocks = Array.from(textOf('docs/install.md').matchAll(/^```sh\n([^]*?)^```$/gm), ([, block]) => block!);
  const run = blocks.flatMap((block) => block.split('\n'));
  assert.deepEqual(
    commands.filter((command) => !run.includes(command)),
    [],
  );
});

test('README names the packages that .ci/run installs', () => {
  const [, packages = ''] = /^ {2}local packages="(.*)"$/m.exec(textOf('.ci/run'))!;
  assert.ok(textOf('README.md').includes(`apt-get install ${packages}\n`));
});
