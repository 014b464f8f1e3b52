import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMPLETION } from '../../dist/cli/completion/form.js';
import { formHelp, manPage, overview } from '../../dist/cli/help/help.js';
import { manPages } from '../../dist/cli/help/man-pages.js';
import { FORMS, VERBS } from '../helpers/forms.js';
import { hasProgram } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = manPages('10.20.30', FORMS);

/** A page as man shows it. */
function shownPage(name: string): string {
  const text = execFileSync('mandoc', ['-Tascii', '-O', 'width=78'], { input: PAGES.get(name)! }).toString();
  return text.replace(/.[\b]/g, '');
}

test('there is a page for the program, for each verb, for each other name of one, and for completion', () => {
  const names = [...VERBS.flatMap(({ name, aliases }) => [name, ...aliases]), 'completion'];
  assert.deepEqual([...PAGES.keys()].sort(), ['tsxbstream.1', ...names.map((name) => `tsxbstream-${name}.1`)].sort());
});

test('each of them is installed', () => {
  const { man } = JSON.parse(fs.readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { man: string[] };
  assert.deepEqual(man.sort(), [...PAGES.keys()].map((name) => `./dist/man/${name}`).sort());
});

test('man finds the page of a verb by each of its names', (context) => {
  if (!hasProgram(context, 'man', 'man-db')) return;
  const folder = tempDir(context);
  fs.mkdirSync(join(folder, 'man1'));
  for (const [name, text] of PAGES) fs.writeFileSync(join(folder, 'man1', name), text);
  const env = { ...process.env, MANPATH: folder, MANPAGER: 'cat', MANWIDTH: '80' };
  for (const { name, aliases } of VERBS) {
    for (const alias of aliases) {
      const shown = (page: string): string => execFileSync('man', [page], { env, encoding: 'utf8' });
      assert.equal(shown(`tsxbstream-${alias}`), shown(`tsxbstream-${name}`));
    }
  }
});

test('lint finds nothing, not even a matter of style', (context) => {
  if (!hasProgram(context, 'mandoc', 'mandoc')) return;
  const folder = tempDir(context);
  fs.mkdirSync(join(folder, 'man1'));
  for (const [name, text] of PAGES) fs.writeFileSync(join(folder, 'man1', name), text);
  const names = [...PAGES.keys()].map((name) => `man1/${name}`);
  assert.equal(
    execFileSync('sh', ['-c', 'mandoc -Tlint "$@" 2>&1; true', 'sh', ...names], { cwd: folder }).toString(),
    '',
  );
});

test('what help names is in the manual page: options, exit codes, signals, examples', (context) => {
  if (!hasProgram(context, 'mandoc', 'mandoc')) return;
  for (const form of [...FORMS, COMPLETION]) {
    const shown = shownPage(`${manPage(form)}.1`);
    const help = formHelp(form) + (form.name === 'xbstream' ? overview('1', FORMS) : '');
    for (const [option] of formHelp(form).matchAll(/--[a-z][a-z-]+/g)) assert.ok(shown.includes(option), option);
    const [, codes = ''] = /^Exit codes:\n([^]*?)(?:\n\n|$)/m.exec(help)!;
    for (const [, code] of codes.matchAll(/^ {2}(\d[\d, -]*?) {2}/gm)) assert.ok(shown.includes(code!), code);
    for (const { command } of form.examples) assert.ok(shown.includes(command), command);
  }
});

test('the pages say more than help: patterns, tables, columns, JSON, files, signals', (context) => {
  if (!hasProgram(context, 'mandoc', 'mandoc')) return;
  const titles = (name: string): string[] => Array.from(shownPage(name).matchAll(/^[A-Z].*$/gm), ([line]) => line);
  const extract = [
    'PATTERNS',
    'TABLES AND DATABASES',
    'JSON',
    'FILES',
    'EXIT STATUS',
    'SIGNALS',
    'EXAMPLES',
    'SEE ALSO',
  ];
  for (const title of extract) assert.ok(titles('tsxbstream-extract.1').includes(title), title);
  assert.ok(titles('tsxbstream-list.1').includes('COLUMNS'));
});

test('each verb says which lines --json prints', (context) => {
  if (!hasProgram(context, 'mandoc', 'mandoc')) return;
  const schema = JSON.parse(fs.readFileSync(join(PROJECT, 'docs/json.schema.json'), 'utf8')) as Schema;
  for (const [verb, { anyOf }] of Object.entries(schema.$defs.verbs)) {
    const shown = shownPage(`tsxbstream-${verb}.1`);
    const [, json = ''] = /^JSON\n([^]*?)\n[A-Z]/m.exec(shown)!;
    for (const { $ref } of anyOf) {
      const type = schema.$defs[$ref.split('/').at(-1)!]!.properties.type.const;
      assert.match(json, new RegExp(`\\b${type}\\b`), verb);
    }
  }
});

interface Schema {
  $defs: Record<string, { properties: { type: { const: string } } }> & {
    verbs: Record<string, { anyOf: { $ref: string }[] }>;
  };
}

for (const form of FORMS) {
  const name = form.name === 'xbstream' ? 'tsxbstream.1' : `tsxbstream-${form.name}.1`;

  test(`${name}: every option of its own and no other, as man shows it`, (context) => {
    if (!hasProgram(context, 'mandoc', 'mandoc')) return;
    const [, shown = ''] = /^OPTIONS.*\n([^]*?)\n[A-Z]/m.exec(shownPage(name))!;
    const named = [...shown.matchAll(/^ {5}(?: {2})?(?:-\S, )*--([a-z-]+)/gm)].map(([, option]) => option);
    assert.deepEqual(named.sort(), [...form.words.keys()].sort());
  });

  test(`${name}: nothing in it that groff does not understand`, (context) => {
    if (!hasProgram(context, 'groff', 'groff-base')) return;
    const groff = execFileSync('sh', ['-c', 'groff -man -Tutf8 -ww -z 2>&1'], { input: PAGES.get(name)! }).toString();
    assert.equal(groff, '');
  });
}
