import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { manPages } from '../../dist/cli/help/man-pages.js';
import { FORMS, VERBS } from '../helpers/forms.js';
import { hasProgram } from '../helpers/programs.js';

const PAGES = manPages('10.20.30', FORMS);

test('there is a page for the program and for each verb', () => {
  assert.deepEqual(
    [...PAGES.keys()].sort(),
    ['tsxbstream.1', ...VERBS.map(({ name }) => `tsxbstream-${name}.1`)].sort(),
  );
});

for (const form of FORMS) {
  const name = form.name === 'xbstream' ? 'tsxbstream.1' : `tsxbstream-${form.name}.1`;

  test(`${name}: every option of its own and no other, as man shows it`, (context) => {
    if (!hasProgram(context, 'mandoc', 'mandoc')) return;
    const shown = execFileSync('mandoc', ['-Tascii', '-O', 'width=78'], { input: PAGES.get(name)! })
      .toString()
      .replace(/.[\b]/g, '');
    const named = [...shown.matchAll(/^ {5}(?: {2})?(?:-\S, )*--([a-z-]+)/gm)].map(([, option]) => option);
    assert.deepEqual(named.sort(), [...form.words.keys()].sort());
    for (const { command } of form.examples) assert.ok(shown.includes(command), command);
  });

  test(`${name}: nothing in it that mandoc or groff does not understand`, (context) => {
    if (!hasProgram(context, 'mandoc', 'mandoc') || !hasProgram(context, 'groff', 'groff-base')) return;
    const input = PAGES.get(name)!;
    const lint = execFileSync('sh', ['-c', 'mandoc -Tlint -W warning; true'], { input }).toString();
    assert.deepEqual(
      lint.split('\n').filter((line) => line !== '' && !/missing date/.test(line)),
      [],
    );
    const groff = execFileSync('sh', ['-c', 'groff -man -Tutf8 -ww -z 2>&1'], { input }).toString();
    assert.equal(groff, '');
  });
}
