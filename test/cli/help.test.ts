import assert from 'node:assert/strict';
import { test } from 'node:test';
import { briefHelp, formHelp, optionSpelling, overview, shortHelp } from '../../dist/cli/help/help.js';
import { COMPLETION } from '../../dist/cli/completion/form.js';
import { FORMS, formOf } from '../helpers/forms.js';

for (const [name, text] of [
  ['overview', overview('10.20.30', FORMS)],
  ['short help', shortHelp(FORMS)],
  ...[...FORMS, COMPLETION].flatMap((form) => [
    [form.name, formHelp(form)] as const,
    [`short help of ${form.name}`, briefHelp(form)] as const,
  ]),
] as const) {
  test(`the ${name} fits 80 columns`, () => {
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 80 || line !== line.trimEnd()),
      [],
    );
    assert.ok(text.endsWith('\n') && !text.endsWith('\n\n'));
  });
}

for (const form of FORMS) {
  test(`the help of ${form.name} names every option of its own and no other`, () => {
    const text = formHelp(form);
    const named = [...text.matchAll(/^ {2}(?:-\S, )*\s*--([a-z-]+)/gm)].map(([, name]) => name);
    assert.deepEqual(named.sort(), [...form.words.keys()].sort());
  });
}

for (const [name, text] of [
  ['tsxbstream', shortHelp(FORMS)],
  ...[...FORMS, COMPLETION].map((form) => [form.call, briefHelp(form)] as const),
] as const) {
  test(`${name} -h is one screen, and says where there is more`, () => {
    assert.ok(text.split('\n').length <= 24, text);
    assert.match(text, /--help, man tsxbstream/);
  });
}

for (const form of FORMS) {
  test(`${form.call} -h has each option but those that every program has`, () => {
    const named = [
      ...briefHelp(form)
        .replace(/^(?:usage:| {7}|as in:|more:).*$/gm, '')
        .matchAll(/--([a-z-]+)/g),
    ].map(([, name]) => name);
    for (const [name, { group }] of form.words) {
      const isTold = group !== 'Compatibility' && name !== 'help' && name !== 'version';
      assert.equal(named.includes(name), isTold, name);
    }
  });
}

test('-h of a verb says what an option does there, and in no other verb', () => {
  const line = (name: string): string => /^-C, .*$/m.exec(briefHelp(formOf(name)))![0];
  assert.match(line('extract'), /unpack into DIR$/);
  assert.match(line('create'), /look for FILEs in DIR, not the current directory$/);
});

test('an option is spelled with its letters, its name and its value', () => {
  const spelling = (name: string): string => optionSpelling(name, formOf('extract').words.get(name)!);
  assert.equal(spelling('directory'), '-C, --directory=DIR');
  assert.equal(spelling('help'), '-h, -?, --help');
  assert.equal(spelling('skip-existing'), '    --skip-existing[=verify]');
});

test('no letter and no name stands for two options of a form', () => {
  for (const { words } of FORMS) {
    const definitions = [...words];
    const letters = definitions.flatMap(([, { letters: own = '' }]) => own.split(''));
    const names = definitions.flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
    assert.equal(new Set(letters).size, letters.length);
    assert.equal(new Set(names).size, names.length);
  }
});
