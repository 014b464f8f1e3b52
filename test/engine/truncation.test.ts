/** An archive that is cut short anywhere is no success, unless what is left of it is an archive by itself. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  archive,
  end,
  file,
  noise,
  payload,
  remove,
  rename,
  rewriting,
  seek,
  sparse,
} from '../helpers/archive-bytes.js';
import { walkChunks } from '../helpers/chunk-walk.js';
import { fixture } from '../helpers/fixtures.js';
import { runInMemory, treeInMemory } from '../helpers/lane.js';
import { SOAK } from '../helpers/programs.js';
import { shrink } from '../helpers/shrink.js';

/** More than the header of a chunk has, but for a long path. */
const HEADER_BYTES = 64;

const INCOMPLETE = new Set(['XB_TRUNCATED', 'XB_MISSING_EOF', 'XB_EMPTY_ARCHIVE']);

/**
 * Cuts at every byte; a sample at every tenth, and at all in the header behind what is whole.
 *
 * @param isWhole whether what is left is an archive by itself: all files that began before it are ended
 */
async function cutEverywhere(bytes: Buffer, isWhole: (length: number) => boolean): Promise<void> {
  let lastWhole = 0;
  for (let length = 0; length < bytes.length; length += 1) {
    if (isWhole(length)) lastWhole = length;
    if (!SOAK && length % 10 !== 1 && length - lastWhole > HEADER_BYTES && !isWhole(length + 1)) continue;
    const { codes, output } = await runInMemory(bytes.subarray(0, length));
    if (isWhole(length)) {
      assert.deepEqual(codes, [], `cut at ${length}`);
      continue;
    }
    assert.ok(codes.length > 0, `cut at ${length}`);
    for (const code of codes) assert.ok(INCOMPLETE.has(code), `cut at ${length}: ${code}`);
    assert.equal(output.closed, false);
  }
}

/** The lengths at which no chunk and no file is cut. */
function wholeLengths(bytes: Buffer): Set<number> {
  const lengths = new Set<number>();
  const open = new Set<string>();
  for (const { type, path, end: chunkEnd } of walkChunks(bytes)) {
    if (type === 'P' || type === 'S') open.add(path);
    if (type === 'E') open.delete(path);
    if (open.size === 0) lengths.add(chunkEnd);
  }
  return lengths;
}

describe('cut at every byte', () => {
  for (const [name, bytes] of [
    ['an archive of two compressed files', fixture('percona/big-zstd-NONE').bytes],
    ['interleaved files', shrink(fixture('percona/inter-none-NONE').bytes, 40)],
    ['a backup with corrections, at its end', shrink(fixture('mariadb/tiny-ddl').bytes, 8)],
  ] as const) {
    test(name, async () => {
      const whole = wholeLengths(bytes);
      await cutEverywhere(bytes, (length) => whole.has(length));
    });
  }

  test('a file that spans the whole archive: never a success', async () => {
    const bytes = archive(
      payload('a', 0, 'begin'),
      file('b', 'whole'),
      sparse(
        'c',
        0,
        [
          [10, 3],
          [4, 0],
        ],
        'xyz',
      ),
      end('c'),
      rename('b', 'd'),
      rewriting('d', 'new'),
      end('d'),
      remove('c'),
      seek('a', 9),
      payload('a', 9, 'rest'),
      end('a'),
    );
    await cutEverywhere(bytes, () => false);
    const { codes, output } = await runInMemory(bytes);
    assert.deepEqual([codes, Object.keys(treeInMemory(output))], [[], ['a', 'd']]);
  });
});

test('what follows the last chunk is told from a cut', async () => {
  const whole = file('a', 'content');
  for (const [tail, code] of [
    ['X', 'XB_TRUNCATED'],
    ['XBSTCK0', 'XB_TRUNCATED'],
    ['\0', 'XB_BAD_MAGIC'],
    ['\n', 'XB_BAD_MAGIC'],
    ['XBSTCK02', 'XB_BAD_MAGIC'],
    [noise(5000), 'XB_BAD_MAGIC'],
  ] as const) {
    const { codes } = await runInMemory(archive(whole, Buffer.from(tail)));
    assert.deepEqual(codes, [code]);
  }
});
