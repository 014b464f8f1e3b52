/** Files whose names cannot stand beside each other: each costs itself, and no verb passes over it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, remove, rename } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { EXIT } from '../helpers/outcome.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const pathsIn = (stdout: string, type: string) => linesOf(stdout, type).map(({ path }) => path);
const codesIn = (stdout: string, type: string) => linesOf(stdout, type).map(({ code }) => code);

describe('a file below another, or with the name of a directory', { concurrency: true }, () => {
  const bytes = archive(file('a', 'A'), file('a/b', 'B'.repeat(20), 7), file('c/d', 'D'), end('c'), file('e', 'E'));
  const stdin = { kind: 'pipe', bytes } as const;

  for (const verb of sampled(['list', 'verify', 'extract', 'tar'], 2)) {
    test(`${verb} says so`, async (context) => {
      const output = { extract: ['-C', tempDir(context)], tar: ['-o', join(tempDir(context), 'made')] }[verb] ?? [];
      const { code, stderr, stdout } = await run([verb, ...output], { stdin });
      assert.equal(code, EXIT.damaged);
      assert.match(stdout + stderr, /a\/b would lie in a directory that is a file/);
      if (output.length === 0) assert.match(stdout + stderr, /c would be a file and a directory/);
    });
  }

  test('is one problem each', async () => {
    const { stdout } = await run(['verify', '--json'], { stdin });
    assert.deepEqual(codesIn(stdout, 'problem'), ['XB_DUPLICATE_PATH', 'XB_DUPLICATE_PATH']);
  });

  for (const [title, chunks, whole, lost] of [
    ['content', bytes, ['a', 'c/d', 'e'], ['a/b', 'c']],
    [
      'an empty one, which casts no doubt on the others',
      archive(end('e0'), file('a/b', '1'), end('a'), end('e1'), end('d/e2')),
      ['a/b', 'd/e2', 'e0', 'e1'],
      ['a'],
    ],
    [
      'a rename onto a name that was refused',
      archive(file('a', '1'), file('a/b', '2'), file('q', '3'), rename('q', 'a/b'), file('z', '4')),
      ['a', 'q', 'z'],
      ['a/b'],
    ],
    [
      'a removal of what was refused',
      archive(file('a', '1'), file('a/b', '2'), remove('a/b'), file('z', '4')),
      ['a', 'z'],
      [],
    ],
  ] as const) {
    for (const dry of inTurn([[], ['--dry-run']])) {
      test(`--keep-going ${dry.join('')}: ${title}`, async (context) => {
        const words = ['extract', '--keep-going', '--json', ...dry, '-C', tempDir(context)];
        const { code, stdout, stderr } = await run(words, { stdin: { kind: 'pipe', bytes: chunks } });
        assert.equal(code, EXIT.damaged, stderr);
        assert.deepEqual(pathsIn(stdout, 'file').sort(), whole);
        assert.deepEqual(pathsIn(stdout, 'lost').sort(), lost);
        assert.ok(codesIn(stdout, 'error').every((told) => told === 'XB_DUPLICATE_PATH'));
      });
    }
  }
});

describe('names that clash only in the target', { concurrency: true }, () => {
  for (const [title, chunks, words, whole] of [
    [
      'below a file',
      archive(file('x/a', '1'), file('y/a/b', '2'), file('z/q', '3')),
      ['--strip-components=1'],
      ['a', 'q'],
    ],
    [
      'onto a directory',
      archive(file('x/a/b', '1'), file('y/a', '2'), file('z/q', '3')),
      ['--strip-components=1'],
      ['a/b', 'q'],
    ],
  ] as const) {
    for (const dry of inTurn([[], ['--dry-run']])) {
      test(`${title} ${dry.join('')}`, async (context) => {
        const all = ['extract', '--keep-going', '--json', ...words, ...dry, '-C', tempDir(context)];
        const { code, stdout } = await run(all, { stdin: { kind: 'pipe', bytes: chunks } });
        assert.equal(code, EXIT.refused);
        assert.deepEqual(pathsIn(stdout, 'file').sort(), whole);
        assert.deepEqual(codesIn(stdout, 'error'), ['XB_TARGET_EXISTS']);
      });
    }
  }

  for (const [title, chunks, code] of [
    ['a removal below a file of the archive', archive(file('a', '1'), remove('a/b'), file('z', '2')), EXIT.ok],
    ['a removal of a directory of the archive', archive(file('a/b', '1'), remove('a'), file('z', '2')), EXIT.refused],
  ] as const) {
    for (const dry of inTurn([[], ['--dry-run']])) {
      test(`${title} ${dry.join('')}`, async (context) => {
        const words = ['extract', '-q', ...dry, '-C', tempDir(context)];
        const result = await run(words, { stdin: { kind: 'pipe', bytes: chunks } });
        assert.equal(result.code, code, result.stderr);
      });
    }
  }
});

test('more directories than any server has are refused before they fill the memory', async (context) => {
  const path = join(tempDir(context), 'archive');
  const deep = Array.from({ length: 1500 }, (_, index) =>
    end(`${String(index).padStart(5, '0')}${'/a'.repeat(250)}/f`),
  );
  fs.writeFileSync(path, archive(...deep));
  const calls = [
    ['verify', path],
    ['list', path],
    ['extract', '--dry-run', path, '-C', tempDir(context)],
  ];
  for (const words of sampled(calls, 2)) {
    const { code, stdout, stderr, peakBytes } = await run(words, { measureMemory: true });
    assert.equal(code, EXIT.damaged);
    assert.match(stdout + stderr, /would need more directories than a backup has/);
    assert.ok(peakBytes < 250 * 2 ** 20, `${peakBytes}`);
  }
});
