/** One changed bit never makes an archive that unpacks, without an error, to something else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { walkChunks, type WalkedChunk } from '../helpers/chunk-walk.js';
import { fixture } from '../helpers/fixtures.js';
import { runInMemory } from '../helpers/lane.js';
import { SOAK } from '../helpers/programs.js';
import { shrink } from '../helpers/shrink.js';

type Files = ReadonlyMap<string, Buffer>;

function same(a: Files, b: Files): boolean {
  return a.size === b.size && [...a].every(([path, content]) => b.get(path)?.equals(content) === true);
}

/** The part of a chunk that an archive byte lies in. */
function partOf(chunk: WalkedChunk, at: number): string {
  const inChunk = at - chunk.start;
  if (inChunk < 8) return 'magic';
  if (inChunk < 10) return inChunk === 8 ? 'flags' : 'type';
  if (inChunk < 14) return 'path length';
  if (inChunk < 14 + chunk.path.length) return 'path';
  if (chunk.type === 'R') return inChunk < 18 + chunk.path.length ? 'path length' : 'path';
  if (at < chunk.headerEnd) return 'lengths and checksum';
  return at < chunk.payloadStart ? 'map' : 'payload';
}

/**
 * Changes that no reader can see, since nothing covers a header with a checksum and nothing else in the archive speaks of
 * what they hide:
 * - an empty file is an end chunk alone: under a changed name it is another empty file, and as a `D` none;
 * - a `D` of a file that is not in the archive is allowed: turned into an `E` it is an empty file;
 * - so a `D` or `R` of a changed name is one of a missing file, or of another.
 */
function isInvisible(chunk: WalkedChunk, part: string, endsAlone: boolean): boolean {
  if (chunk.type === 'E') return endsAlone && (part === 'path' || part === 'type');
  return (chunk.type === 'D' || chunk.type === 'R') && (part === 'path' || (chunk.type === 'D' && part === 'type'));
}

interface Flips {
  archive: Buffer;
  /** Whether this bit is tried. */
  tries: (chunk: WalkedChunk, part: string, bit: number) => boolean;
}

async function assertNoFlipPasses({ archive, tries }: Flips): Promise<number> {
  const whole = await runInMemory(archive);
  assert.deepEqual(whole.codes, []);
  const chunks = walkChunks(archive);
  const withContent = new Set(chunks.filter(({ type }) => type === 'P' || type === 'S').map(({ path }) => path));
  const damaged = Buffer.from(archive);
  let tried = 0;
  for (const chunk of chunks) {
    for (let bit = chunk.start * 8; bit < chunk.end * 8; bit += 1) {
      const at = bit >> 3;
      const part = partOf(chunk, at);
      if (!tries(chunk, part, bit)) continue;
      tried += 1;
      damaged[at]! ^= 1 << (bit & 7);
      const { codes, output } = await runInMemory(damaged);
      damaged[at]! ^= 1 << (bit & 7);
      if (codes.length > 0) {
        // What did get its name is as it must be: damage does not show in a file that looks whole.
        for (const [path, content] of output.files) {
          const right = whole.output.files.get(path);
          if (right === undefined && (chunk.type === 'R' || part === 'path')) continue;
          if (isSuperseded(chunks, path)) continue;
          // But a file whose last chunk got another name: that it is too short shows at the archive's end only.
          const short = part === 'path' && path === chunk.path && right?.subarray(0, content.length).equals(content);
          const fine = short === true || right?.equals(content) === true;
          assert.ok(fine, `bit ${bit} (${part} of ${chunk.type} ${chunk.path}): ${path}`);
        }
      } else if (!same(whole.output.files, output.files)) {
        const seen = isInvisible(chunk, part, !withContent.has(chunk.path));
        assert.ok(seen, `bit ${bit} (${part} of ${chunk.type} ${chunk.path}) passed`);
      }
    }
  }
  return tried;
}

/** Whether a later chunk of the archive corrects what was stored under this name. */
function isSuperseded(chunks: readonly WalkedChunk[], path: string): boolean {
  return chunks.some((chunk) => chunk.path === path && (chunk.type === 'D' || chunk.type === 'R' || chunk.flags === 2));
}

/** One bit in `n`, the same ones every time. */
function oneIn(n: number): (chunk: WalkedChunk, part: string, bit: number) => boolean {
  return (_chunk, _part, bit) => SOAK || (Math.imul(bit, 2_654_435_761) >>> 8) % n === 0;
}

const inHeader = (_chunk: WalkedChunk, part: string): boolean => part !== 'payload';

describe('a single changed bit', () => {
  test('anywhere in an archive of two compressed files', async () => {
    const { bytes } = fixture('percona/big-zstd-NONE');
    assert.ok((await assertNoFlipPasses({ archive: bytes, tries: oneIn(12) })) > bytes.length / 2);
  });

  test('in the headers and maps of sparse files, and in some of their content', async () => {
    const some = oneIn(4000);
    const tries: Flips['tries'] = (...bit) => (inHeader(bit[0], bit[1]) && oneIn(12)(...bit)) || some(...bit);
    assert.ok((await assertNoFlipPasses({ archive: fixture('percona/sparse-w32k-inter').bytes, tries })) > 500);
  });

  test('in the headers of interleaved files', async () => {
    const some = oneIn(16);
    const tries: Flips['tries'] = (...bit) => inHeader(bit[0], bit[1]) && some(...bit);
    assert.ok((await assertNoFlipPasses({ archive: fixture('percona/inter-zstd-AES256').bytes, tries })) > 500);
  });

  describe('in a backup taken while tables were changed', () => {
    const archive = shrink(fixture('mariadb/tiny-ddl').bytes, 20);
    const corrected = new Set(
      walkChunks(archive)
        .filter(({ type, flags }) => type === 'D' || type === 'R' || flags === 2)
        .map(({ path }) => path),
    );

    test('in corrections and the files that they concern', async () => {
      const some = oneIn(6);
      const tries: Flips['tries'] = (...bit) => corrected.has(bit[0].path) && some(...bit);
      assert.ok((await assertNoFlipPasses({ archive, tries })) > 750);
    });

    test('in the rest of it', async () => {
      assert.ok((await assertNoFlipPasses({ archive, tries: oneIn(200) })) > 350);
    });
  });
});
