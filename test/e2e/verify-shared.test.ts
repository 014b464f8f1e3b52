/** A large archive is verified by several threads side by side: nobody can tell but by the time it takes. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { file, noise, payloadLike } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { EXIT } from '../helpers/outcome.js';
import { largeName, writeLargeArchive } from '../helpers/large-archive.js';
import { sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const CHUNK_BYTES = 1 << 20;
const FILES = 8;
const CHUNKS_PER_FILE = 9;

function makeArchive(context: TestContext): { path: string; bytes: number } {
  const path = join(tempDir(context), 'large.xbstream');
  return {
    path,
    bytes: writeLargeArchive(path, { chunkBytes: CHUNK_BYTES, files: FILES, chunksPerFile: CHUNKS_PER_FILE }),
  };
}

function flip(path: string, position: number): void {
  const fd = fs.openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  fs.readSync(fd, byte, 0, 1, position);
  fs.writeSync(fd, Buffer.from([byte[0]! ^ 1]), 0, 1, position);
  fs.closeSync(fd);
}

/** JSON lines without the time that the run took. */
function untimed(stdout: string): string {
  return stdout.replace(/"elapsedSeconds":[^,}]*/, '');
}

describe('a large archive, verified by pipelines', { concurrency: 2 }, () => {
  test('is whole', async (context) => {
    const { path, bytes } = makeArchive(context);
    const { code, stdout } = await run(['verify', '--json', path]);
    assert.equal(code, 0);
    const [summary] = linesOf(stdout, 'summary');
    assert.deepEqual(
      [summary?.['ok'], summary?.['entries'], summary?.['bytes'], bytes > FILES * CHUNKS_PER_FILE * CHUNK_BYTES],
      [true, FILES, FILES * CHUNKS_PER_FILE * CHUNK_BYTES, true],
    );
  });

  /** Where the payload is damaged, as parts of the archive; a byte in the middle of a chunk's zeros. */
  const damages: Record<string, readonly number[]> = {
    'near the beginning': [0.2],
    'near the end': [0.8],
    'on both sides of the middle': [0.4999, 0.5001],
    'in every eighth': [0.06, 0.19, 0.31, 0.44, 0.56, 0.69, 0.81, 0.94],
  };
  for (const [where, places] of sampled(Object.entries(damages), 2, 1)) {
    test(`damage ${where} is told as one lane alone tells it`, async (context) => {
      const { path, bytes } = makeArchive(context);
      for (const place of places) flip(path, Math.floor(bytes * place));
      const [shared, alone] = await Promise.all([
        run(['verify', '--json', path]),
        run(['verify', '--json', '--parallel', '1', path]),
      ]);
      assert.equal(shared.code, EXIT.damaged);
      assert.equal(untimed(shared.stdout), untimed(alone.stdout));
      assert.equal(
        linesOf(shared.stdout, 'problem').length,
        new Set(places.map((place) => Math.floor((place * bytes) / CHUNK_BYTES))).size,
      );
    });
  }

  test('a single large file is looked at to its last chunk', async (context) => {
    const path = join(tempDir(context), 'large.xbstream');
    const bytes = writeLargeArchive(path, { chunkBytes: CHUNK_BYTES, files: 1, chunksPerFile: 161 });
    assert.equal((await run(['verify', '-q', '--parallel=3', path])).code, EXIT.ok);
    flip(path, bytes - 1000);
    assert.equal((await run(['verify', '-q', '--parallel=3', path])).code, EXIT.damaged);
  });

  test('layers that are undone: what is wrong inside is told as one lane alone tells it', async (context) => {
    const path = join(tempDir(context), 'layered.xbstream');
    const key = { cipher: 'AES256', bytes: Buffer.from('0123456789abcdef0123456789ABCDEF') } as const;
    const content = noise(3 * CHUNK_BYTES);
    // From 64 MiB on an archive is shared; this chunk is passed over.
    const filler = payloadLike('X', 'filler', 0, Buffer.alloc(64 * CHUNK_BYTES), { flags: 1 });
    const packed = qpressFile(content);
    const damaged = Buffer.from(packed);
    damaged[damaged.length >> 1]! ^= 1;
    const sound = [
      filler,
      file('a.qp', packed, CHUNK_BYTES),
      file('b.xbcrypt', xbcryptFile(content, key), CHUNK_BYTES),
      file('c.qp.xbcrypt', xbcryptFile(packed, key), CHUNK_BYTES),
    ];
    const bad = [file('d.qp', damaged, CHUNK_BYTES), file('e.xbcrypt', content, CHUNK_BYTES)];
    const keyWords = ['-k', key.bytes.toString()];
    const cases = [
      [sound, keyWords, EXIT.ok],
      [sound, ['-k', 'x'.repeat(32)], EXIT.undecodable],
      [sound, [], EXIT.undecodable],
      [sound, ['--allow-encrypted'], EXIT.ok],
      [[...sound, ...bad], keyWords, EXIT.damaged],
    ] as const;
    for (const [files, words, code] of sampled(cases, 4)) {
      fs.writeFileSync(path, Buffer.concat(files));
      const [shared, alone] = await Promise.all(
        [[], ['--parallel', '1']].map((more) => run(['verify', '--deep', '--json', ...words, ...more, path])),
      );
      assert.equal(shared!.code, code, shared!.stderr);
      const told = ({ stdout, stderr }: RunResult): unknown => [untimed(stdout), stderr];
      assert.deepEqual(told(shared!), told(alone!));
    }
  });

  test('a damaged header', async (context) => {
    for (const place of sampled([2, 6], 2, 1)) {
      const { path, bytes } = makeArchive(context);
      // The first chunk of that file: its header follows the end chunk of the one before.
      flip(path, Math.round((bytes / FILES) * place) + 3);
      const { code, stdout } = await run(['verify', '--json', path]);
      assert.equal(code, EXIT.damaged);
      assert.ok(linesOf(stdout, 'problem').some(({ path: named }) => named === largeName(place)));
    }
  });

  test('one that is cut short', async (context) => {
    const { path, bytes } = makeArchive(context);
    for (const cut of sampled([1, CHUNK_BYTES + 7, Math.floor(bytes * 0.4)], 2)) {
      fs.truncateSync(path, bytes - cut);
      assert.equal((await run(['verify', path])).code, EXIT.incomplete);
    }
  });
});
