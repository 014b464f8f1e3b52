import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMS } from '../../dist/cli/forms.js';
import { formHelp, optionSpelling, overview, shortHelp } from '../../dist/cli/help.js';
import { OPTIONS, optionsOf, type Form } from '../../dist/cli/options.js';

const FORM_NAMES = Object.keys(FORMS) as Form[];

for (const [name, text] of [
  ['overview', overview('10.20.30')],
  ['short help', shortHelp()],
  ...FORM_NAMES.map((form) => [form, formHelp(form)] as const),
] as const) {
  test(`the ${name} fits 80 columns`, () => {
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 80 || line !== line.trimEnd()),
      [],
    );
    assert.ok(text.endsWith('\n') && !text.endsWith('\n\n'));
  });
}

for (const form of FORM_NAMES) {
  test(`the help of ${form} names every option of its own and no other`, () => {
    const text = formHelp(form);
    const named = [...text.matchAll(/^ {2}(?:-\S, )*\s*--([a-z-]+)/gm)].map(([, name]) => name);
    assert.deepEqual(named.sort(), [...optionsOf(form).keys()].sort());
  });
}

test('an option is spelled with its letters, its name and its value', () => {
  assert.equal(optionSpelling('directory', OPTIONS.directory), '-C, --directory=DIR');
  assert.equal(optionSpelling('help', OPTIONS.help), '-h, -?, --help');
  assert.equal(optionSpelling('skip-existing', OPTIONS['skip-existing']), '    --skip-existing[=verify]');
});

test('no letter and no name stands for two options of a form', () => {
  for (const form of FORM_NAMES) {
    const definitions = [...optionsOf(form)];
    const letters = definitions.flatMap(([, { letters: own = '' }]) => own.split(''));
    const names = definitions.flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
    assert.equal(new Set(letters).size, letters.length);
    assert.equal(new Set(names).size, names.length);
  }
});
