/** `create`, `convertToTar` and `writeTar`: what they make is what the command line makes, and half of it is never all. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { cat, convertToTar, create, extract, verify, writeTar, type ArchiveInput } from 'tsxbstream';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { fixture, fixturePath } from '../helpers/fixtures.js';
import { sampled } from '../helpers/programs.js';
import { cutAt } from '../helpers/lane.js';
import { STREAM_KINDS, watchedStream } from '../helpers/streams.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf, writeTree } from '../helpers/tree.js';
import { SOON_MS, until } from '../helpers/wait.js';

const MIB = 2 ** 20;
/** "A few MB". */
const MOST_UNDER_WAY = 4 * MIB;

const NAME = 'percona/base-none-NONE';

/** What the command line makes. */
async function madeByCommand(context: TestContext, words: readonly string[], cwd = '.'): Promise<Buffer> {
  const path = join(tempDir(context), 'made');
  const { code, stderr } = await run([...words, '-q', '-o', path], { cwd });
  assert.equal(code, 0, stderr);
  return fs.readFileSync(path);
}

/** A stream that keeps what it takes. */
class Taker extends Writable {
  readonly parts: Buffer[] = [];

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.parts.push(piece);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** A stream that takes one piece and then nothing any more. */
function stalled(): Writable {
  return new Writable({ write: () => undefined });
}

async function allOf(stream: Readable): Promise<Buffer> {
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}

function* endlessArchive(): Iterable<Buffer> {
  const content = noise(256 * 1024);
  for (let index = 0; ; index += 1) yield file(`f${index}`, content);
}

/** A tar of one file of 1 TiB. */
function* endlessTar(): Iterable<Buffer> {
  const header = Buffer.alloc(512);
  header.write('large\0', 0);
  header.write('0000640\0', 100);
  header[124] = 0x80; // size (offset 124, length 12), in base 256
  header.writeBigUInt64BE(2n ** 40n, 128);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  yield header;
  const piece = noise(64 * 1024);
  for (;;) yield piece;
}

test('archive to tar to archive to tar, from every input, as the command line makes them', async (context) => {
  const path = fixturePath(NAME);
  const { bytes } = fixture(NAME);
  const tar = await madeByCommand(context, ['tar', path]);
  const tarPath = join(tempDir(context), 'x.tar');
  fs.writeFileSync(tarPath, tar);
  const again = await madeByCommand(context, ['create', '--from-tar', tarPath]);
  const inputs = (whole: Buffer, from: string): ArchiveInput[] => [
    from,
    pathToFileURL(from),
    fs.createReadStream(from),
    new Response(whole).body as ReadableStream<Uint8Array> as ArchiveInput,
    [whole],
    ...STREAM_KINDS.map((kind) => watchedStream(kind, cutAt(whole, [1, 511, 513, 5000, 100_000])).input),
  ];
  for (const input of sampled(inputs(bytes, path), 3)) assert.ok((await allOf(convertToTar(input))).equals(tar));
  for (const input of sampled(inputs(tar, tarPath), 3, 1)) {
    const taker = new Taker();
    const { files, bytes: contentBytes, outputBytes } = await create({ tar: input }, taker);
    assert.ok(taker.bytes.equals(again));
    assert.ok(taker.writableFinished);
    assert.deepEqual([files, outputBytes], [9, again.length]);
    assert.equal(contentBytes, 293_697);
  }
  const direct = new Taker();
  await create({ tar: convertToTar(path) }, direct);
  assert.ok(direct.bytes.equals(again));
});

describe('create', () => {
  const files = { 'db1/t1.ibd': noise(300_000), 'db1/empty': '', 'db2/h\xc3\xa9': 'x', last: noise(11 * MIB) };

  test('of files and directories, to every output', async (context) => {
    const directory = tempDir(context);
    writeTree(directory, files);
    const sources = ['last', './db1', 'db2'];
    const expected = await madeByCommand(context, ['create', ...sources], directory);
    const path = join(tempDir(context), 'made.xbs');
    const told: string[] = [];
    const result = await create(sources, path, { directory, onFile: (report) => told.push(report.path) });
    assert.ok(fs.readFileSync(path).equals(expected));
    assert.deepEqual(told, ['last', 'db1/empty', 'db1/t1.ibd', 'db2/h\xc3\xa9']);
    assert.deepEqual([result.files, result.bytes, result.outputBytes], [4, 300_001 + 11 * MIB, expected.length]);
    const taker = new Taker();
    await create(sources, taker, { directory });
    assert.ok(taker.bytes.equals(expected));
    const parts: Uint8Array[] = [];
    const web = new WritableStream<Uint8Array>({ write: (piece) => void parts.push(piece) });
    await create(sources, web, { directory });
    assert.ok(Buffer.concat(parts).equals(expected));
    await assert.rejects(create(sources, path, { directory }), { code: 'XB_TARGET_EXISTS' });
    await create('last', pathToFileURL(path), { directory, overwrite: true, chunkBytes: MIB, sparse: true });
    const target = tempDir(context);
    await extract(path, target);
    assert.deepEqual(readTree(target), treeOf({ last: files.last }));
  });

  test('of what cannot be stored', async (context) => {
    const directory = tempDir(context);
    writeTree(directory, files);
    fs.symlinkSync('last', join(directory, 'link'));
    const taker = new Taker();
    const failure = once(taker, 'error');
    await assert.rejects(create(directory, taker), { code: 'XB_IO', message: /symbolic link/ });
    assert.equal(((await failure)[0] as { code: string }).code, 'XB_IO');
    assert.ok(!taker.writableFinished);
    assert.equal((await verify([taker.bytes])).ok, false);
    await assert.rejects(create('no/such/file', join(directory, 'made')), { systemCode: 'ENOENT' });
    assert.deepEqual(fs.readdirSync(directory).sort(), ['db1', 'db2', 'last', 'link']);
  });
});

test('tar of chosen files, decoded, at a time', async (context) => {
  const path = fixturePath('percona/base-zstd-AES256');
  const key = fs.readFileSync(path.replace(/base.*/, 'key.AES256'));
  const mtime = new Date('2026-01-31T12:00:00Z');
  const made = join(tempDir(context), 'made.tar');
  await writeTar(path, made, { key, decompress: true, include: ['*.ibd'], mtime, sparse: true });
  const keyPath = path.replace(/base.*/, 'key.AES256');
  const words = ['--decompress', '--decrypt=AES256', `--encrypt-key-file=${keyPath}`, '--sparse'];
  const expected = await madeByCommand(context, [
    'tar',
    path,
    '*.ibd',
    '--mtime',
    mtime.toISOString().replace('.000', ''),
    ...words,
  ]);
  assert.ok(fs.readFileSync(made).equals(expected));
});

describe('little is under way', () => {
  for (const kind of sampled(STREAM_KINDS, 2)) {
    test(`while nobody reads a tar on, from a ${kind}`, { timeout: 60_000 }, async () => {
      const stream = watchedStream(kind, endlessArchive());
      const tar = convertToTar(stream.input, { stream: true });
      await once(tar, 'readable');
      await sleep(500);
      assert.ok(stream.givenBytes > 0 && stream.givenBytes <= MOST_UNDER_WAY, `${stream.givenBytes} bytes were given`);
      tar.destroy();
      await until('it is given back', () => stream.isGivenBack);
    });
  }

  for (const kind of sampled(STREAM_KINDS, 2, 1)) {
    test(`while an archive of a tar is taken slowly, from a ${kind}`, { timeout: 60_000 }, async () => {
      const stream = watchedStream(kind, endlessTar());
      let taken = 0;
      let most = 0;
      const slow = new Writable({
        write: (piece: Buffer, _encoding, done) => {
          most = Math.max(most, stream.givenBytes - taken);
          taken += piece.length;
          if (taken < 32 * MIB) setTimeout(done, 2);
          else done(new Error('that is enough'));
        },
      });
      await assert.rejects(create({ tar: stream.input }, slow, { chunkBytes: MIB }), {
        code: 'XB_IO',
        message: 'cannot write to the stream: that is enough',
      });
      assert.ok(most <= 2 * MOST_UNDER_WAY, `${most} bytes were under way`);
      await until('it is given back', () => stream.isGivenBack);
    });
  }

  test('of files, while nobody takes what is made of them', { timeout: 60_000 }, async (context) => {
    const large = join(tempDir(context), 'large');
    fs.writeFileSync(large, '');
    fs.truncateSync(large, 1024 * MIB);
    const aborting = new AbortController();
    let read = 0;
    const creating = create(large, stalled(), {
      chunkBytes: MIB,
      signal: aborting.signal,
      onProgress: ({ bytes }) => (read = bytes),
    });
    const outcome = assert.rejects(creating, { message: 'that is enough' });
    await until('it has begun', () => read > 0);
    await sleep(500);
    aborting.abort(new Error('that is enough'));
    await outcome;
    assert.ok(read > 0 && read <= 2 * MOST_UNDER_WAY, `${read} bytes were read`);
  });
});

describe('an abort', () => {
  test('ends what waits for a stream, or for its own', { timeout: 60_000 }, async () => {
    const { bytes } = fixture(NAME);
    const tar = await allOf(convertToTar([bytes]));
    const silent = (whole: Buffer): ArchiveInput =>
      watchedStream('Readable', [whole.subarray(0, 1000)], 'silence').input;
    for (const [title, call] of Object.entries<(signal: AbortSignal, output: Writable) => Promise<unknown>>({
      'an archive, all of which the stream has': (signal, output) =>
        create({ tar: convertToTar([bytes]) }, output, { signal }),
      'a tar': (signal, output) => writeTar([bytes], output, { signal }),
      'a tar of a silent archive': (signal, output) => writeTar(silent(bytes), output, { signal }),
      'a silent tar': (signal, output) => create({ tar: silent(tar) }, output, { signal }),
      'a tar of it': (signal, output) => pipeline(convertToTar([bytes], { signal }), output),
    })) {
      const aborting = new AbortController();
      const output = stalled();
      const outcome = assert.rejects(call(aborting.signal, output), /that is enough/, title);
      await sleep(300);
      const aborted = performance.now();
      aborting.abort(new Error('that is enough'));
      await outcome;
      assert.ok(performance.now() - aborted < SOON_MS, title);
      assert.ok(output.destroyed, title);
    }
  });

  test('of a stream that waits to be read, when all is written', { timeout: 60_000 }, async () => {
    const { bytes } = fixture(NAME);
    const streams = [
      (signal: AbortSignal) => convertToTar([bytes], { signal }),
      (signal: AbortSignal) => cat([bytes], '**', { signal }),
    ];
    for (const begin of sampled(streams, 2)) {
      const aborting = new AbortController();
      const stream = begin(aborting.signal);
      await once(stream, 'readable');
      await sleep(1500);
      const reason = new Error('that is enough');
      const failed = once(stream, 'close').catch((error: unknown) => error);
      aborting.abort(reason);
      assert.equal(await failed, reason);
      assert.ok(stream.destroyed);
    }
  });

  test('leaves nothing', { timeout: 60_000 }, async (context) => {
    const directory = tempDir(context);
    const made = tempDir(context);
    fs.writeFileSync(join(directory, 'large'), '');
    fs.truncateSync(join(directory, 'large'), 64 * 1024 * MIB);
    const calls = [
      (signal: AbortSignal) => create(directory, join(made, 'x'), { signal, sparse: true }),
      (signal: AbortSignal) => create({ tar: endlessTar() }, join(made, 'x'), { signal, sparse: true }),
      (signal: AbortSignal) => writeTar(endlessArchive(), join(made, 'x'), { signal, tmpDir: made }),
    ];
    for (const call of calls) {
      const aborting = new AbortController();
      const outcome = assert.rejects(call(aborting.signal), { message: 'that is enough' });
      await sleep(250);
      aborting.abort(new Error('that is enough'));
      await outcome;
      assert.deepEqual(fs.readdirSync(made), []);
    }
  });

  test('that came first', async (context) => {
    const path = join(tempDir(context), 'made');
    const signal = AbortSignal.abort(new Error('never mind'));
    await assert.rejects(create(fixturePath(NAME), path, { signal }), { message: 'never mind' });
    const output = new Taker();
    const failure = once(output, 'error');
    await assert.rejects(writeTar(fixturePath(NAME), output, { signal }), { message: 'never mind' });
    await failure;
    assert.ok(!output.writableFinished);
  });
});

describe('an output that fails', () => {
  test('ends the work, and gives the input back', { timeout: 60_000 }, async () => {
    const boom = new Error('the disk is gone');
    const outputs: readonly (() => Writable)[] = [
      () => new Writable({ write: (_piece, _encoding, done) => done(boom) }),
      () => {
        const output = stalled();
        setTimeout(() => output.destroy(boom), 300);
        return output;
      },
      () =>
        new Writable({
          write: () => {
            throw boom;
          },
        }),
    ];
    for (const output of outputs) {
      const stream = watchedStream('Readable', endlessArchive());
      await assert.rejects(writeTar(stream.input, output(), { stream: true }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'XB_IO');
        assert.equal(error.message, 'cannot write to the stream: the disk is gone');
        assert.equal(error.cause, boom);
        return true;
      });
      await until('it is given back', () => stream.isGivenBack);
    }
  });

  test('at its end', async () => {
    const output = new Writable({
      write: (_piece, _encoding, done) => done(),
      final: (done) => done(new Error('full')),
    });
    await assert.rejects(writeTar(fixturePath(NAME), output), { code: 'XB_IO', message: /full/ });
  });

  test('because it was closed', async () => {
    const output = stalled();
    setTimeout(() => output.destroy(), 200);
    await assert.rejects(writeTar(fixturePath(NAME), output), { code: 'XB_IO', message: /it was closed/ });
  });
});

describe('what is not whole', () => {
  const cut = fixture(NAME).bytes.subarray(0, 200_000);

  test('is no tar', async (context) => {
    const made = tempDir(context);
    for (const input of sampled([cut, archive(), Buffer.from('no archive at all')], 2)) {
      const tar = convertToTar([input], { stream: true });
      let hasEnded = false;
      tar.on('end', () => (hasEnded = true));
      await assert.rejects(allOf(tar), { name: 'XbstreamError' });
      const output = new Taker();
      await assert.rejects(writeTar([input], output, { stream: true }), { name: 'XbstreamError' });
      assert.ok(output.destroyed && !output.writableFinished && !hasEnded);
      await assert.rejects(create({ tar: [output.bytes] }, new Taker()), { code: 'XB_TRUNCATED' });
      await assert.rejects(writeTar([input], join(made, 'x')), { name: 'XbstreamError' });
    }
    assert.deepEqual(fs.readdirSync(made), []);
  });

  test('is no archive', async (context) => {
    const made = tempDir(context);
    const tar = await allOf(convertToTar(fixturePath(NAME)));
    for (const end of sampled([0, 5, 512, 1024, 150_000, tar.length - 1024], 6, 4)) {
      const output = new Taker();
      const part = tar.subarray(0, end);
      await assert.rejects(create({ tar: [part] }, output), { code: 'XB_TRUNCATED' }, `${end}`);
      assert.ok(output.destroyed && !output.writableFinished);
      const { ok, problems } = await verify([output.bytes]);
      assert.ok(!ok && problems[0]!.code === 'XB_TRUNCATED', `${end}`);
      await assert.rejects(create({ tar: [part] }, join(made, 'x')), { code: 'XB_TRUNCATED' });
    }
    assert.deepEqual(fs.readdirSync(made), []);
  });
});

test('a tar that nobody wants any more ends the work', { timeout: 60_000 }, async () => {
  const stream = watchedStream('Readable', endlessArchive());
  for await (const piece of convertToTar(stream.input, { stream: true })) {
    assert.ok((piece as Buffer).length > 0);
    break;
  }
  await until('it is given back', () => stream.isGivenBack);
  const unread = convertToTar(fixturePath(NAME));
  unread.destroy();
  await finished(unread).catch(() => undefined);
  assert.ok(unread.closed);
});

test('what a callback throws comes back', async () => {
  const mine = new Error('mine');
  const onFile = (): never => {
    throw mine;
  };
  const isMine = (error: unknown): boolean => error === mine;
  await assert.rejects(allOf(convertToTar(fixturePath(NAME), { onFile })), isMine);
  const output = new PassThrough();
  output.on('error', () => undefined);
  await assert.rejects(create(fixturePath(NAME), output, { onFile }), isMine);
});

test('stdout stays open, and whole', { timeout: 60_000 }, async (context) => {
  const index = fileURLToPath(import.meta.resolve('tsxbstream'));
  const code = `
    import { create, writeTar } from ${JSON.stringify(index)};
    await writeTar(${JSON.stringify(fixturePath(NAME))}, process.stdout);
    await writeTar([], process.stdout).catch(({ code }) => process.stderr.write(code));
    process.stdout.write('and more');
  `;
  const script = join(tempDir(context), 'script.mjs');
  fs.writeFileSync(script, code);
  const options = { encoding: 'latin1', maxBuffer: 2 ** 24 } as const;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], options);
  const tar = await allOf(convertToTar(fixturePath(NAME)));
  assert.ok(stdout.startsWith(tar.toString('latin1')));
  assert.match(stdout.slice(tar.length), /^THE-REST-OF-THIS-ARCHIVE-IS-MISSING.*and more$/s);
  assert.equal(stderr, 'XB_EMPTY_ARCHIVE');
});

/** What this process has open beside pipes and the like, which Node's threads come and go with. */
function openFiles(): string[] {
  return fs
    .readdirSync('/proc/self/fd')
    .flatMap((fd) => {
      try {
        return [fs.readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return []; // the one that this was read with
      }
    })
    .filter((name) => name.startsWith('/'))
    .sort();
}

test('nothing stays open, however it ends', { skip: process.platform !== 'linux' }, async (context) => {
  const directory = tempDir(context);
  const { bytes } = fixture(NAME);
  const tar = join(directory, 'a.tar');
  await writeTar([bytes], tar);
  const cut = join(directory, 'cut.tar');
  fs.writeFileSync(cut, fs.readFileSync(tar).subarray(0, 3000));
  const cutArchive = join(directory, 'cut.xbs');
  fs.writeFileSync(cutArchive, bytes.subarray(0, 3000));
  const before = openFiles();
  const made = join(directory, 'made');
  await create({ tar }, made, { overwrite: true });
  await create(tar, made, { overwrite: true });
  await assert.rejects(create({ tar: cut }, join(directory, 'none')));
  await assert.rejects(create({ tar: directory }, join(directory, 'none')));
  await assert.rejects(create([directory, 'missing'], join(directory, 'none')));
  await assert.rejects(writeTar(cutArchive, join(directory, 'none')));
  await assert.rejects(extract(cutArchive, join(directory, 'target')));
  await assert.rejects(extract(directory, join(directory, 'target')));
  assert.deepEqual(openFiles(), before);
});
