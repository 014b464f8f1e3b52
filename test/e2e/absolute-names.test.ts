/** `innobackupex --extra-lsndir` and the like have put files with absolute names into streams. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { archive, end, file, payload, remove, rename, rewriting } from '../helpers/archive-bytes.js';
import { run, type Stdin } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled } from '../helpers/programs.js';
import { reportInput, reportPath } from '../helpers/report-input.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf } from '../helpers/tree.js';

const NAME = '11-absolute-xtrabackup_info.xbstream';
const left = treeOf({ ibdata1: Buffer.from(reportInput(NAME).subarray(41, 141)) });

describe('a file with an absolute name in the archive', { concurrency: true }, () => {
  for (const kind of ['file', 'pipe'] as const) {
    const stdin: { stdin?: Stdin } = kind === 'pipe' ? { stdin: { kind, bytes: reportInput(NAME) } } : {};
    const input = kind === 'pipe' ? '-' : reportPath(NAME);

    test(`is refused; the first advice leaves it out, from a ${kind}`, async (context) => {
      const result = await run(['extract', '-q', input, '-C', tempDir(context)], stdin);
      assertEnded(result, EXIT.damaged, /it is absolute/);
      const advice = result.stderr.split('\n').filter((line) => line.includes('add -'));
      assert.match(advice[0]!, /to leave it out: add --exclude \/backups\/mysql\/Fri\/xtrabackup_info/);
      assert.match(advice[1]!, /add -P/);
    });

    const patterns = ['/backups/mysql/Fri/xtrabackup_info', '/backups/**', 'xtrabackup_info'];
    for (const pattern of sampled(patterns, 2, Number(kind === 'pipe'))) {
      test(`--exclude ${pattern} works without -P, from a ${kind}`, async (context) => {
        const target = tempDir(context);
        assertEnded(await run(['extract', '-q', input, '-C', target, '--exclude', pattern], stdin), EXIT.ok);
        assert.deepEqual(readTree(target), left);
        assertEnded(
          await run(['-x', '-C', target, '--overwrite', '--exclude', pattern], {
            stdin: { kind: 'pipe', bytes: reportInput(NAME) },
          }),
          EXIT.ok,
        );
        const listed = await run(['list', '--json', input, '--exclude', pattern], stdin);
        assert.equal(listed.code, EXIT.ok, listed.stderr);
        assert.deepEqual(
          linesOf(listed.stdout, 'entry').map(({ path }) => path),
          ['ibdata1'],
        );
        for (const verb of ['tar', 'cat']) {
          const words = verb === 'cat' ? ['cat', input, 'ibdata1'] : ['tar', input];
          const { code, stderr } = await run([...words, '--exclude', pattern], stdin);
          assert.equal(code, EXIT.ok, stderr);
        }
      });
    }
  }

  test('a payload that is passed over reaches no other file', async (context) => {
    const bytes = archive(
      payload('a', 0, 'one'),
      payload('/x', 0, 'two'),
      rewriting('/x', 'three'),
      end('/x'),
      rename('/x', '/y'),
      remove('/x'),
      end('a'),
      file('b', 'B'),
    );
    const target = tempDir(context);
    const words = ['extract', '-q', '-', '-C', target, '--exclude', '/x'];
    assertEnded(await run(words, { stdin: { kind: 'pipe', bytes } }), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'one', b: 'B' }));
  });

  test('one that climbs stays refused', async (context) => {
    const words = ['extract', '-q', '-', '-C', tempDir(context), '--exclude', '/**'];
    const bytes = archive(file('/a/../../b', 'x'));
    assertEnded(await run(words, { stdin: { kind: 'pipe', bytes } }), EXIT.damaged, /climbs out/);
  });
});
