/** A file system that takes no more: of what, and how to go on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { isRoot } from '../helpers/programs.js';
import type { Cleanup } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

/** A file system in memory that is as small as is asked for. */
function smallDisk(context: Cleanup, options: string): string {
  const place = mkdtempSync(join(tmpdir(), 'tsxbstream-test-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', place]);
  context.after(() => {
    execFileSync('umount', [place]);
    rmdirSync(place);
  });
  return place;
}

describe('a file system that takes no more', { concurrency: true }, () => {
  test('no space: names --skip-existing, and with it the run goes on', async (context) => {
    if (!isRoot(context)) return;
    const target = smallDisk(context, 'size=400k');
    const bytes = archive(file('a', noise(200_000)), file('b', noise(300_000, 2)), file('c', 'c'));
    const stdin = { kind: 'pipe', bytes } as const;
    const result = await run(['-x', '-C', target], { stdin });
    assertEnded(result, EXIT.refused, /no space left on the device \(ENOSPC\)/, /make room/, /--skip-existing/);
    assert.doesNotMatch(result.stderr, /inode/);
    execFileSync('mount', ['-o', 'remount,size=2m', target]);
    assertEnded(await run(['-x', '-C', target, '--skip-existing'], { stdin }), EXIT.ok);
    assert.deepEqual(Object.keys(readTree(target)).sort(), ['a', 'b', 'c']);
  });

  test('no inodes is not "no space"', async (context) => {
    if (!isRoot(context)) return;
    for (const stored of ['f', 'd/e/g/f', 'large']) {
      const target = smallDisk(context, 'size=4m,nr_inodes=4');
      const content = stored === 'large' ? noise(600_000) : 'x';
      const names = [0, 1, 2, 3, 4, 5].map((index) => `${stored}${index}`);
      const bytes = archive(...names.map((name) => file(name, content)));
      const result = await run(['extract', '-q', '-', '-C', target], { stdin: { kind: 'pipe', bytes } });
      assertEnded(result, EXIT.refused, /no free inodes/, /ENOSPC/, /--skip-existing/);
      assert.doesNotMatch(result.stderr, /no space left/);
      const dry = await run(['extract', '-q', '-', '-C', join(target, 'new'), '--dry-run'], {
        stdin: { kind: 'pipe', bytes },
      });
      assertEnded(dry, EXIT.refused, /too few free inodes/);
    }
  });
});
