/** Chunks and entries, one at a time. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cat, convertToTar, readChunks, readEntries, verify, writeTar } from 'tsxbstream';
import { archive, end, file, noise, payload, remove, rename, rewriting } from '../helpers/archive-bytes.js';
import { drain } from '../helpers/streams.js';
import { tempDir } from '../helpers/temp.js';

describe('readChunks', () => {
  const bytes = archive(file('a', noise(1000)), payload('b', 0, 'content', { crc: 1 }), end('b'));

  test('judges the checksums of payloads that nobody reads, unless told not to', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    for (const input of [path, [bytes]]) {
      const paths: string[] = [];
      const read = async (check?: boolean): Promise<void> => {
        for await (const { header } of readChunks(input, { check })) paths.push(`${header.type} ${header.path}`);
      };
      await assert.rejects(() => read(), { code: 'XB_BAD_CRC' });
      assert.deepEqual(paths, ['payload a', 'end a', 'payload b']);
      await read(false);
      assert.deepEqual(paths.slice(3), ['payload a', 'end a', 'payload b', 'end b']);
    }
  });

  test('gives the pieces before it tells that their checksum does not hold', async () => {
    const parts: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { header, payload: payloadOf } of readChunks([bytes])) {
        if (header.path !== 'b') continue;
        for await (const { bytes: part } of payloadOf()) parts.push(part.toString());
      }
    };
    await assert.rejects(read, { code: 'XB_BAD_CRC' });
    assert.deepEqual(parts, ['content']);
  });

  test('does not take the end of a file that is cut in a payload it passes over for the archive’s', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, file('a', noise(2_000_000)).subarray(0, 1_500_000));
    await assert.rejects(drain(readChunks(path, { check: false })), { code: 'XB_TRUNCATED' });
  });

  test('a payload that is asked for too late, or twice, or left behind', async () => {
    const chunks = readChunks([bytes]);
    const first = (await chunks.next()).value!;
    const reading = first.payload()[Symbol.asyncIterator]();
    assert.throws(() => first.payload(), { code: 'XB_USAGE' });
    await chunks.next();
    await assert.rejects(reading.next(), { code: 'XB_USAGE' });
    assert.throws(() => first.payload(), { code: 'XB_USAGE' });
    await chunks.return();
  });
});

/** Takes the beginning of each content, and leaves it there. */
const LEAVING = `
import { readEntries } from ${JSON.stringify(import.meta.resolve('tsxbstream'))};
async function run() {
  for await (const entry of readEntries(process.argv[1])) {
    console.log(entry.path);
    await entry.content()[Symbol.asyncIterator]().next();
  }
}
run();
`;

describe('readEntries', () => {
  const TWO = archive(file('large', noise(70_000_000)), file('small', 'S'));

  test('goes on where a content was ended before it was begun', async () => {
    const ways: ((content: AsyncIterable<Buffer>) => unknown)[] = [
      (content) => content[Symbol.asyncIterator]().return!(),
      (content) => Readable.from(content).destroy(),
      (content) =>
        Readable.from(content)
          .on('error', () => undefined)
          .destroy(new Error('not wanted')),
    ];
    for (const end of ways) {
      const paths: string[] = [];
      for await (const entry of readEntries([TWO])) {
        paths.push(entry.path);
        if (entry.kind === 'file') await end(entry.content());
      }
      assert.deepEqual(paths, ['large', 'small']);
    }
  });

  test('fails where a content was begun and left behind, and does not end the process as if all were well', (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, TWO);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', LEAVING, path], {
      encoding: 'utf8',
    });
    assert.equal(stdout, 'large\n');
    assert.match(stderr, /XB_UNSUPPORTED_ORDER/);
    assert.equal(status, 1);
  });

  test('tells what an archive says of its files, in its order', async () => {
    const told: unknown[] = [];
    const bytes = archive(
      file('a', 'old'),
      rewriting('a', 'new content'),
      end('a'),
      rename('a', 'b'),
      remove('b'),
      remove('c'),
      file('d.zst.xbcrypt', ''),
    );
    for await (const entry of readEntries([bytes])) {
      if (entry.kind !== 'file') {
        told.push(entry);
        continue;
      }
      const parts: Buffer[] = [];
      for await (const part of entry.content()) parts.push(part);
      const { path, rewrites, layers, bytes: size, complete } = entry;
      told.push({ path, rewrites, layers, size, complete, content: Buffer.concat(parts).toString() });
    }
    const whole = { complete: true, layers: [] };
    assert.deepEqual(told, [
      { ...whole, path: 'a', rewrites: false, size: 3, content: 'old' },
      { ...whole, path: 'a', rewrites: true, size: 11, content: 'new content' },
      { kind: 'rename', path: 'a', newPath: 'b', archiveOffset: 114, effective: true },
      { kind: 'remove', path: 'b', archiveOffset: 134, effective: true },
      { kind: 'remove', path: 'c', archiveOffset: 149, effective: false },
      { complete: true, layers: ['xbcrypt', 'zstd'], path: 'd.zst.xbcrypt', rewrites: false, size: 0, content: '' },
    ]);
  });

  test('ends well only where every file is whole', async () => {
    const read = (bytes: Buffer): Promise<void> => drain(readEntries([bytes]));
    await assert.rejects(read(payload('a', 0, 'x')), { code: 'XB_MISSING_EOF', path: 'a' });
    await assert.rejects(read(archive(payload('a', 5, 'x'), end('a'))), { code: 'XB_GAP' });
    await assert.rejects(read(archive(file('a', 'x'), file('a', 'x'))), { code: 'XB_DUPLICATE_PATH' });
    await assert.rejects(read(file('../a', 'x')), { code: 'XB_UNSAFE_PATH' });
    await assert.rejects(read(archive(payload('a', 0, 'x', { crc: 1 }), end('a'))), { code: 'XB_BAD_CRC' });
  });

  test('whoever reads the content of a file without an end is told so', { timeout: 30_000 }, async () => {
    const parts: string[] = [];
    const read = async (): Promise<void> => {
      for await (const entry of readEntries([payload('a', 0, 'x')])) {
        assert.ok(entry.kind === 'file');
        for await (const part of entry.content()) parts.push(part.toString());
      }
    };
    await assert.rejects(read, { code: 'XB_MISSING_EOF', path: 'a' });
    assert.deepEqual(parts, ['x']);
  });

  test('whoever reads content is told of damage, too', async () => {
    let failed: unknown;
    const read = async (): Promise<void> => {
      for await (const entry of readEntries([archive(payload('a', 0, 'x'), payload('b', 0, 'y', { crc: 1 }))])) {
        assert.ok(entry.kind === 'file');
        if (entry.path === 'b') continue;
        drain(entry.content()).catch((error: unknown) => {
          failed = error;
        });
      }
    };
    await assert.rejects(read, { code: 'XB_BAD_CRC' });
    await new Promise(setImmediate);
    assert.equal((failed as { code?: unknown }).code, 'XB_BAD_CRC');
  });

  test('content that is asked for too late, or twice', async () => {
    const entries = readEntries([archive(file('a', 'x'), file('b', 'y'))]);
    const { value: a } = await entries.next();
    const { value: b } = await entries.next();
    assert.ok(a?.kind === 'file' && b?.kind === 'file');
    assert.throws(() => a.content(), { code: 'XB_USAGE' });
    b.content();
    assert.throws(() => b.content(), { code: 'XB_USAGE' });
    await entries.return();
  });
});

test('an abort ends a wait for slow readers', { timeout: 30_000 }, async () => {
  const aborting = new AbortController();
  const bytes = file('large', noise(16 * 2 ** 20));
  const contents: AsyncIterator<unknown>[] = [];
  const reading = (async () => {
    for await (const entry of readEntries([bytes], { signal: aborting.signal })) {
      if (entry.kind !== 'file') continue;
      const content = entry.content()[Symbol.asyncIterator]();
      contents.push(content);
      await content.next();
    }
  })();
  const failed = assert.rejects(reading, { message: 'enough' });
  await sleep(200);
  aborting.abort(new Error('enough'));
  await failed;
});

test('an abort ends the wait for somebody who writes to a named pipe', { timeout: 30_000 }, async (context) => {
  for (const read of [readChunks, readEntries]) {
    const path = join(tempDir(context), 'pipe');
    execFileSync('mkfifo', [path]);
    await assert.rejects(drain(read(path, { signal: AbortSignal.timeout(100) })), { name: 'TimeoutError' });
  }
});

test('a stream is given back though nothing was read of it', async () => {
  const stream = new PassThrough();
  await assert.rejects(readEntries(stream, { signal: AbortSignal.abort(new Error('enough')) }).next(), /enough/);
  assert.ok(stream.destroyed);
  for (const begin of [(input: Readable) => cat(input, '*'), (input: Readable) => convertToTar(input)]) {
    const input = new PassThrough();
    const output = begin(input);
    output.destroy();
    await once(output, 'close');
    assert.ok(input.destroyed);
  }
});

test('many may be read with one signal', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning);
  process.on('warning', onWarning);
  const { signal } = new AbortController();
  const readers = Array.from({ length: 15 }, () => readEntries([file('a', 'x')], { signal }));
  for (const reader of readers) await reader.next();
  const streams = Array.from({ length: 15 }, () => cat([file('a', 'x')], 'a', { signal }));
  for (const stream of streams) await stream.toArray();
  for (const reader of readers) await reader.return();
  process.off('warning', onWarning);
  assert.deepEqual(warnings, []);
});

test('a URL that is no path is told as that', async () => {
  for (const url of ['file://host/a', 'file:///a%2Fb', 'file:///a%00b']) {
    await assert.rejects(verify(new URL(url)), { code: 'XB_USAGE' }, url);
    await assert.rejects(writeTar([file('a', 'x')], new URL(url)), { code: 'XB_USAGE' }, url);
  }
});
