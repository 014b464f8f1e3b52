/** Shells complete command lines by what `completion` prints: asked in the shells themselves. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { completionScript, SHELLS } from '../../dist/cli/help/completion.js';
import { run } from '../helpers/cli.js';
import { FORMS, VERBS } from '../helpers/forms.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram } from '../helpers/programs.js';

/** What bash offers for the last of the words; it makes one of its own of each `=`. */
function bashOffers(...words: string[]): string[] {
  const script = `${completionScript('bash', FORMS)}
    compopt() { :; }
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tsxbstream; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync('bash', ['-c', script, 'bash', 'tsxbstream', ...words], { encoding: 'utf8' });
  return text.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  test('verbs, and what else may come first', () => {
    assert.deepEqual(bashOffers('c').sort(), ['cat', 'completion', 'convert-to-tar', 'create']);
    for (const { name } of VERBS) assert.ok(bashOffers('').includes(name));
  });

  test('every option of every verb, by its aliases too, and no other', () => {
    for (const { name: verb, words } of VERBS) {
      const names = [...words.keys()].map((name) => `--${name}`);
      const offered = bashOffers(verb, '--').map((word) => word.replace(/=$/, ''));
      assert.deepEqual(offered.sort(), names.sort(), verb);
    }
    assert.deepEqual(bashOffers('ls', '--'), bashOffers('list', '--'));
    assert.ok(bashOffers('-x', '--enc').includes('--encrypt-key='));
  });

  test('values that are a few words, behind a = and as words of their own', () => {
    assert.deepEqual(bashOffers('verify', '--format', '=', 'j'), ['json', 'junit']);
    assert.deepEqual(bashOffers('verify', '--format', '='), ['text', 'json', 'github', 'junit']);
    assert.deepEqual(bashOffers('-x', '--decrypt', 'AES1'), ['AES128', 'AES192']);
    assert.deepEqual(bashOffers('completion', ''), [...SHELLS]);
    // Files are bash's own business.
    assert.deepEqual(bashOffers('extract', 'back'), []);
  });
});

test('fish', (context) => {
  if (!hasProgram(context, 'fish', 'fish')) return;
  const offers = (line: string): string[] =>
    execFileSync('fish', ['-c', `${completionScript('fish', FORMS)}\ncomplete -C ${JSON.stringify(line)}`], {
      encoding: 'utf8',
    })
      .split('\n')
      .map((found) => found.split('\t')[0]!);
  assert.ok(offers('tsxbstream ').includes('verify'));
  assert.ok(offers('tsxbstream verify --').includes('--backup'));
  assert.ok(!offers('tsxbstream list --').includes('--backup'));
  assert.ok(offers('tsxbstream verify --format=').includes('--format=junit'));
});

test('zsh takes the script', (context) => {
  if (!hasProgram(context, 'zsh', 'zsh')) return;
  const script = `autoload -U compinit; compinit -u -D; ${completionScript('zsh', FORMS)}; print -r -- $_comps[tsxbstream]`;
  assert.equal(execFileSync('zsh', ['-f', '-c', script], { encoding: 'utf8' }).trim(), '_tsxbstream');
});

test('the verb', async () => {
  const { code, stdout } = await run(['completion', 'fish']);
  assert.deepEqual([code, stdout], [0, completionScript('fish', FORMS)]);
  assert.equal((await run(['completion'])).code, EXIT.usage);
  const { stderr } = await run(['completion', 'csh']);
  assert.match(stderr, /there is no completion for csh\n {2}shells: bash, zsh, fish/);
});
