/** Peak memory, of the whole process: what an archive claims costs nothing. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { archive, end, file, noise, payload, remove, seek, sparse } from '../helpers/archive-bytes.js';
import { run, start, type RunResult } from '../helpers/cli.js';
import { feed, openPipe } from '../helpers/pipes.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';

const MIB = 2 ** 20;
const MOST_MORE_BYTES = 64 * MIB;

async function unpack(context: Cleanup, bytes: Buffer): Promise<RunResult> {
  const path = join(tempDir(context), 'archive.xbs');
  fs.writeFileSync(path, bytes);
  return run(['-x', '-C', tempDir(context)], { stdin: { kind: 'file', path }, measureMemory: true });
}

describe('memory', () => {
  let smallest = 0;

  before(async () => {
    const cleanups: (() => void)[] = [];
    const result = await unpack({ after: (work) => cleanups.push(work) }, file('a', 'x'));
    for (const cleanup of cleanups) cleanup();
    assertEnded(result, EXIT.ok);
    smallest = result.peakBytes;
  });

  test('of a small archive', () => {
    assert.ok(smallest > 20 * MIB && smallest < 100 * MIB, `${smallest}`);
  });

  const map = Array.from({ length: 2 ** 20 }, () => [1, 0] as const);
  const scattered = (): Buffer[] =>
    Array.from({ length: 65_000 }, (_, index) => payload('a', 2 * (65_000 - index), 'x'));
  const removals = (): Buffer[] => Array.from({ length: 100_000 }, (_, index) => remove(`${index}`));
  const many = (): Buffer[] => Array.from({ length: 20_000 }, (_, index) => file(`d${index % 9}/${index}`, 'x'));
  const cases = [
    ['a payload that claims 2^53 bytes', () => payload('a', 0, 'x', { payloadBytes: 2n ** 53n - 1n }), EXIT.incomplete],
    ['a map that claims 2^20 entries', () => sparse('a', 0, [[1, 1]], 'x', { mapEntries: 2 ** 20 }), EXIT.incomplete],
    ['maps of 2^20 entries', () => archive(sparse('a', 0, map, ''), sparse('a', 2 ** 20, map, ''), end('a')), EXIT.ok],
    ['a hole of 2^42 bytes', () => archive(seek('a', 2n ** 42n), end('a')), EXIT.ok],
    ['a large chunk', () => file('a', noise((SOAK ? 200 : 90) * MIB)), EXIT.ok],
    ['65,000 ranges', () => archive(...scattered()), EXIT.incomplete],
    ['100,000 chunks D', () => archive(...removals()), EXIT.ok],
    ['20,000 files', () => archive(...many()), EXIT.ok],
  ] as const;
  // test/engine/bounds.test.ts has more of them, in this process.
  for (const [name, bytesOf, code] of sampled(cases, 2)) {
    test(`of ${name}`, async (context) => {
      const result = await unpack(context, bytesOf());
      assertEnded(result, code);
      const more = result.peakBytes - smallest;
      assert.ok(more <= MOST_MORE_BYTES, `${Math.round(more / MIB)} MiB more than for a small archive`);
    });
  }

  test('of a tar of files that come in parts of a byte', async () => {
    const holes = Array.from({ length: 2 ** 16 }, () => [1, 1] as const);
    const parts = Array.from({ length: 24 }, (_, index) => [
      sparse(`${index}`, 0, holes, noise(holes.length)),
      end(`${index}`),
    ]);
    const wrapper = ['sh', '-c', 'exec "$@" > /dev/null', 'sh'];
    const stdin = { kind: 'pipe', bytes: archive(...parts.flat()) } as const;
    const result = await run(['tar'], { stdin, wrapper, measureMemory: true });
    assertEnded(result, EXIT.ok);
    const more = result.peakBytes - smallest;
    assert.ok(more <= 2 * MOST_MORE_BYTES, `${Math.round(more / MIB)} MiB more than for a small archive`);
  });

  const mebibytes = SOAK ? 1024 : 160;
  test('of a large chunk from a pipe', async (context) => {
    const piece = noise(4 * MIB);
    const pieces = mebibytes / 4;
    let crc = 0;
    for (let index = 0; index < pieces; index += 1) crc = crc32(piece, crc);
    const { readFd, writeFd } = openPipe();
    const target = tempDir(context);
    const { ended } = start(['-x', '-C', target], { stdin: { kind: 'open', stdio: readFd }, measureMemory: true });
    fs.closeSync(readFd);
    fs.writeSync(writeFd, payload('a', 0, '', { crc, payloadBytes: pieces * piece.length }));
    for (let index = 0; index < pieces; index += 1) fs.writeSync(writeFd, piece);
    await feed(writeFd, end('a'));
    const result = await ended;
    assertEnded(result, EXIT.ok);
    assert.equal(fs.statSync(join(target, 'a')).size, mebibytes * MIB);
    assert.ok(result.peakBytes - smallest <= MOST_MORE_BYTES, `${result.peakBytes / MIB} MiB`);
  });
});
