/** What a program may say wrong is answered with XB_USAGE before anything is read or written. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { describe, test } from 'node:test';
import {
  cat,
  convertToTar,
  create,
  decode,
  extract,
  info,
  list,
  makeIndex,
  readChunks,
  readEntries,
  verify,
  writeTar,
  type CatOptions,
  type XbstreamError,
} from 'tsxbstream';
import { fixturePath } from '../helpers/fixtures.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn } from '../helpers/tree.js';

/** Any function of the library, for callers who have no types. */
type Untyped = (input: unknown, options: unknown) => Promise<unknown>;

const CALLS: Readonly<Record<string, Untyped>> = {
  extract: (input, options) => extract(input as string, '/no/such/target', options as object),
  list: (input, options) => list(input as string, options as object),
  verify: (input, options) => verify(input as string, options as object),
  info: (input, options) => info(input as string, options as object),
  // eslint-disable-next-line @typescript-eslint/require-await
  cat: async (input, options) => cat(input as string, 'a', options as object),
  // eslint-disable-next-line @typescript-eslint/require-await
  convertToTar: async (input, options) => convertToTar(input as string, options as object),
  writeTar: (input, options) => writeTar(input as string, '/no/such/target', options as object),
  makeIndex: (input, options) => makeIndex(input as string, '/no/such/target', options as object),
  create: (input, options) => create(input as string, '/no/such/target', options as object),
  readChunks: (input, options) => readChunks(input as string, options as object).next(),
  readEntries: (input, options) => readEntries(input as string, options as object).next(),
};

const WRONG: Readonly<Record<string, unknown>> = {
  'no object': 'yes',
  null: null,
  'an unknown option': { sorted: true },
  'a signal that is none': { signal: {} },
};

/** Options that not all functions have. */
const WRONG_VALUES: Readonly<Record<string, readonly object[]>> = {
  extract: [
    { decompress: 'yes' },
    { include: 'a' },
    { include: [''] },
    { existing: 'replace' },
    { stripComponents: -1 },
    { stripComponents: 0.5 },
    { parallel: '2' },
    { digests: ['sha0'] },
    { onFile: 1 },
    { key: 5 },
    { allowEncrypted: 1 },
    { manifest: 7 },
    { onProgress: {} },
  ],
  makeIndex: [{ overwrite: 1 }, { onFile: () => undefined }, { index: 'x' }],
  list: [{ index: 1 }, { sort: 'date' }, { tables: [1] }, { tables: ['x'] }],
  verify: [{ tee: true }, { info: '' }, { deep: 1 }, { decompressThreads: NaN }],
  info: [{ keepGoing: 'no' }],
  cat: [{ decompress: 1 }, { raw: 1 }, { allowEncrypted: true }],
  convertToTar: [
    { decompress: 1 },
    { mtime: 0 },
    { mtime: new Date(NaN) },
    { mtime: new Date(-1) },
    { mtime: new Date('2300-01-01') },
    { tmpDir: '' },
    { stream: 'yes' },
    { overwrite: true },
  ],
  writeTar: [{ overwrite: 1 }, { sparse: 1 }, { parallel: -1 }],
  create: [{ chunkBytes: 0 }, { chunkBytes: 2 ** 30 + 1 }, { directory: '' }, { sparse: 1 }, { key: 'x' }],
  readChunks: [{ check: 'no' }],
  readEntries: [{ allowEmpty: 1 }],
};

for (const [name, call] of Object.entries(CALLS)) {
  describe(name, () => {
    for (const [title, options] of Object.entries(WRONG)) {
      test(title, async () => {
        await assert.rejects(call('/no/such/archive', options), { name: 'XbstreamError', code: 'XB_USAGE' });
      });
    }
    for (const options of WRONG_VALUES[name] ?? []) {
      test(JSON.stringify(options), async () => {
        await assert.rejects(call('/no/such/archive', options), { name: 'XbstreamError', code: 'XB_USAGE' });
      });
    }
    test('undefined is as good as nothing', async () => {
      await assert.rejects(
        call('/no/such/archive', { signal: undefined }).then((stream) =>
          stream instanceof Readable ? stream.toArray() : undefined,
        ),
        { code: 'XB_IO', systemCode: 'ENOENT' },
      );
    });
  });
}

test('a target, or a path, that is none', async () => {
  for (const wrong of ['', 'a\0b', 7, undefined]) {
    await assert.rejects(extract(fixturePath('percona/base-none-NONE'), wrong as string), { code: 'XB_USAGE' });
    assert.throws(() => cat(fixturePath('percona/base-none-NONE'), wrong as string), { code: 'XB_USAGE' });
  }
  assert.throws(() => cat(fixturePath('percona/base-none-NONE'), []), { code: 'XB_USAGE' });
});

test('files to decode, or an address, that are none', async () => {
  for (const wrong of ['', 'a\0b', 7, undefined, [], [7], new URL('file:///tmp')]) {
    await assert.rejects(decode(wrong as string), { name: 'XbstreamError', code: 'XB_USAGE' });
  }
  await assert.rejects(list(new URL('s3://bucket/x%ff')), { name: 'XbstreamError', code: 'XB_USAGE' });
});

test('an output, or sources, that are none', async () => {
  const path = fixturePath('percona/base-none-NONE');
  const locked = new WritableStream();
  locked.getWriter();
  const wrong = ['', 'a\0b', 7, null, {}, new URL('ftp://localhost/'), locked, new PassThrough({ objectMode: true })];
  for (const output of wrong) {
    await assert.rejects(writeTar(path, output as string), { code: 'XB_USAGE' });
    await assert.rejects(create(path, output as string), { code: 'XB_USAGE' });
  }
  for (const sources of ['', [], [''], 7, null, {}, { tar: null }]) {
    await assert.rejects(create(sources as string, '/no/such/target'), { code: 'XB_USAGE' });
  }
  const ended = new PassThrough().end();
  await assert.rejects(create(path, ended), { code: 'XB_IO', message: 'cannot write to the stream: it was closed' });
});

describe('keys', () => {
  const name = 'percona/base-zstd-AES256';
  const key = fs.readFileSync(fixturePath(name).replace(/base.*/, 'key.AES256'));

  test('as bytes and as text; the number of bytes tells the cipher', async () => {
    for (const given of [key, new Uint8Array(key), key.toString('latin1')]) {
      const { ok } = await verify(fixturePath(name), { deep: true, key: given });
      assert.ok(ok);
    }
    const short = fs.readFileSync(fixturePath(name).replace(/base.*/, 'key.AES128'));
    const { ok } = await verify(fixturePath('percona/frames-zstd-AES128'), { deep: true, key: short });
    assert.ok(ok);
  });

  test('of a wrong length', async () => {
    await assert.rejects(verify(fixturePath(name), { key: 'short' }), { code: 'XB_BAD_KEY' });
    await assert.rejects(verify(fixturePath(name), { key: `${key.toString('latin1')}\n` }), (error: Error) => {
      assert.match(error.message, /newline/);
      return true;
    });
  });

  test('without one, files that stay encrypted are an error, or what was allowed', async (context) => {
    const target = tempDir(context);
    const missing = { code: 'XB_KEY_REQUIRED', message: /^9 files are encrypted, and no key was given/ };
    await assert.rejects(extract(fixturePath(name), `${target}/1`, { decompress: true }), missing);
    assert.equal(namesIn(`${target}/1`).filter((path) => path.endsWith('.zst.xbcrypt')).length, 9);
    const told = await extract(fixturePath(name), `${target}/2`, { decompress: true, keepGoing: true });
    assert.deepEqual([told.ok, told.files, told.problems.map(({ code }) => code)], [false, 9, ['XB_KEY_REQUIRED']]);
    const allowed = await extract(fixturePath(name), `${target}/3`, { decompress: true, allowEncrypted: true });
    assert.deepEqual([allowed.ok, allowed.files], [true, 9]);
    await extract(fixturePath(name), `${target}/4`, { key });
    assert.ok(namesIn(`${target}/4`).every((path) => path.endsWith('.zst')));

    await assert.rejects(writeTar(fixturePath(name), `${target}/tar`, { decompress: true }), missing);
    const tar = await writeTar(fixturePath(name), `${target}/tar`, { decompress: true, allowEncrypted: true });
    assert.equal(tar.files, 9);

    assert.deepEqual(
      (await verify(fixturePath(name), { deep: true })).problems.map(({ code }) => code),
      ['XB_KEY_REQUIRED'],
    );
    assert.ok((await verify(fixturePath(name), { deep: true, allowEncrypted: true })).ok);
  });

  test('cat decodes what was asked for by its plain name, unless raw', async () => {
    const text = async (path: string, options?: CatOptions): Promise<string> =>
      Buffer.concat((await cat(fixturePath(name), path, options).toArray()) as Buffer[]).toString('latin1');
    assert.match(await text('xtrabackup_info', { key }), /^(?:.*\n)*tool_name = xtrabackup/);
    assert.match(await text('xtrabackup_info', { raw: true }), /^XBCRYP03/);
    assert.match(await text('xtrabackup_info.zst.xbcrypt'), /^XBCRYP03/);
    await assert.rejects(text('xtrabackup_info'), { code: 'XB_KEY_REQUIRED' });
    assert.throws(() => cat(fixturePath(name), 'a', { raw: true, key }), { code: 'XB_USAGE' });
  });

  test('the wrong one', async () => {
    const { ok, problems } = await verify(fixturePath(name), { deep: true, key: Buffer.alloc(32, 'x') });
    assert.ok(!ok);
    assert.equal(problems[0]!.code, 'XB_WRONG_KEY');
  });
});

describe('an option that there is not', () => {
  for (const [call, typed, meant] of [
    ['extract', 'decompres', 'decompress'],
    ['extract', 'stripComponent', 'stripComponents'],
    ['list', 'excludes', 'exclude'],
    ['verify', 'digest', 'digests'],
  ] as const) {
    test(`${call} ${typed}: it is said what was probably meant`, async () => {
      await assert.rejects(
        CALLS[call]!(fixturePath('percona/base-plain'), { [typed]: true }),
        (error: XbstreamError) => {
          assert.equal(error.message, `there is no option ${typed}`);
          assert.equal(error.hints[0], `did you mean ${meant}?`);
          assert.match(error.hints[1]!, /^there are: absoluteNames, /);
          return true;
        },
      );
    });
  }

  test('one that is like none is answered with all there are', async () => {
    await assert.rejects(CALLS['list']!('archive', { colourful: true }), (error: XbstreamError) => {
      assert.deepEqual([error.hints.length, /^there are: .*\bsort\b/.test(error.hints[0]!)], [1, true]);
      return true;
    });
  });
});
