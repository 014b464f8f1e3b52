/** Every function takes every input, to the same end; and gives it back, whatever happens. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ReadableStream } from 'node:stream/web';
import { readChunks, verify, XbstreamError, type ArchiveInput } from 'tsxbstream';
import { noise, payload } from '../helpers/archive-bytes.js';
import { fixture, fixturePath } from '../helpers/fixtures.js';
import { cutAt, piecesOf } from '../helpers/lane.js';
import { feed, openPipe, openTcp } from '../helpers/pipes.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { STREAM_KINDS, watchedStream } from '../helpers/streams.js';
import { SOON_MS, until } from '../helpers/wait.js';
import type { Cleanup } from '../helpers/temp.js';
import { CALLS } from './functions.js';

const NAME = 'percona/base-none-NONE';
const PATH = fixturePath(NAME);
const { bytes } = fixture(NAME);

const INPUTS: Readonly<Record<string, (context: Cleanup) => Promise<ArchiveInput> | ArchiveInput>> = {
  'a URL': () => pathToFileURL(PATH),
  'a descriptor': (context) => {
    const fd = fs.openSync(PATH, 'r');
    context.after(() => fs.closeSync(fd)); // fails if somebody else has closed it
    return fd;
  },
  'a FileHandle': async (context) => {
    const handle = await fs.promises.open(PATH);
    context.after(() => void handle.close());
    return handle;
  },
  'the descriptor of a pipe': (context) => {
    const { readFd, writeFd } = openPipe();
    context.after(() => fs.closeSync(readFd));
    void feed(writeFd, bytes);
    return readFd;
  },
  'a net.Socket': async (context) => {
    const { near, far, close } = await openTcp();
    context.after(close);
    near.end(bytes);
    return far;
  },
  'fs.createReadStream': () => fs.createReadStream(PATH),
  'the body of a response': () => new Response(bytes).body as ReadableStream<Uint8Array>,
  'one piece': () => [bytes],
};

for (const [turn, [name, call]] of Object.entries(CALLS).entries()) {
  describe(name, () => {
    test('takes every input, to the same end', { timeout: 400_000 }, async (context) => {
      const expected = await call(context, PATH);
      for (const [title, input] of sampled(Object.entries(INPUTS), 5, turn % 5)) {
        assert.deepEqual(await call(context, await input(context)), expected, title);
      }
      for (const kind of sampled(STREAM_KINDS, 2, turn % 2)) {
        const pieces = cutAt(bytes, [1, 7, 7, 100, 4096, 4097, 100_000]);
        const stream = watchedStream(kind, pieces);
        assert.deepEqual(await call(context, stream.input), expected, kind);
        assert.equal(stream.givenBytes, bytes.length);
        assert.equal(stream.isGivenBack, false, `${kind}: it had ended`);
      }
    });

    for (const kind of sampled(STREAM_KINDS, 2, turn % 2)) {
      test(`fails with what a ${kind} fails with`, { timeout: 60_000 }, async (context) => {
        const boom = new Error('the cable was cut');
        const stream = watchedStream(kind, piecesOf(bytes.subarray(0, 100_000), 10_000), boom);
        await assert.rejects(call(context, stream.input), (error) => {
          assert.ok(error instanceof XbstreamError, String(error));
          assert.equal(error.code, 'XB_IO');
          assert.equal(error.message, 'cannot read the stream: the cable was cut');
          assert.equal(error.cause, boom);
          return true;
        });
      });

      if (kind === 'iterable') continue; // cannot be silent

      test(`ends within a moment when a silent ${kind} is not worth the wait`, { timeout: 60_000 }, async (context) => {
        const stream = watchedStream(kind, [bytes.subarray(0, 100_000)], 'silence');
        const aborting = new AbortController();
        const outcome = assert.rejects(call(context, stream.input, { signal: aborting.signal }), {
          message: 'that is enough',
        });
        await until('the stream has given all', () => stream.givenBytes === 100_000);
        const aborted = performance.now();
        aborting.abort(new Error('that is enough'));
        await outcome;
        assert.ok(performance.now() - aborted < SOON_MS);
        await until('it is given back', () => stream.isGivenBack);
      });

      test(`gives back a ${kind} where the signal came first`, async (context) => {
        const stream = watchedStream(kind, [], 'silence');
        const signal = AbortSignal.abort(new Error('never mind'));
        await assert.rejects(call(context, stream.input, { signal }), { message: 'never mind' });
      });
    }

    test('refuses what is no bytes', { timeout: 60_000 }, async (context) => {
      const text = fs.createReadStream(PATH, { encoding: 'latin1' });
      await assert.rejects(call(context, text), { code: 'XB_USAGE', message: /text where bytes/ });
      assert.ok(text.destroyed);
      await assert.rejects(call(context, bytes as unknown as string), {
        code: 'XB_USAGE',
        hints: ['bytes are given as a stream of one piece: [bytes]'],
      });
      for (const input of [undefined, null, {}, -1, 1e9, '', 'a\0b', new URL('ftp://localhost/'), 5n]) {
        const codes = input === 1e9 ? ['XB_IO'] : ['XB_USAGE'];
        await assert.rejects(
          async () => call(context, input as string),
          (error) => error instanceof XbstreamError && codes.includes(error.code),
          typeof input,
        );
      }
    });
  });
}

/** An archive whose first chunk is damaged, and then more and more. */
function* endless(): Iterable<Buffer> {
  yield payload('a', 0, 'x', { crc: 1 });
  for (;;) yield payload('b', 0, noise(10_000), { payloadBytes: 2 ** 40 });
}

for (const kind of STREAM_KINDS) {
  for (const name of inTurn(['extract', 'readChunks', 'readEntries'])) {
    test(`${name} gives an endless ${kind} back at the first damage`, { timeout: 60_000 }, async (context) => {
      const stream = watchedStream(kind, endless());
      await assert.rejects(CALLS[name]!(context, stream.input), { code: 'XB_BAD_CRC' });
      await until('it is given back', () => stream.isGivenBack);
    });
  }

  test(`an endless ${kind} is given back when nobody wants more`, { timeout: 60_000 }, async () => {
    const stream = watchedStream(kind, endless());
    for await (const { header } of readChunks(stream.input)) {
      assert.equal(header.path, 'a');
      break;
    }
    await until('it is given back', () => stream.isGivenBack);
  });
}

test('a locked stream is refused', async () => {
  const stream = new ReadableStream<Uint8Array>();
  stream.getReader();
  await assert.rejects(verify(stream), { code: 'XB_USAGE', message: /locked/ });
});

test('a stream that was destroyed is no archive', async () => {
  const stream = fs.createReadStream(PATH);
  stream.destroy();
  await assert.rejects(verify(stream), { code: 'XB_IO' });
});

test('a socket is wanted as a stream', async (context) => {
  const { near, close } = await openTcp();
  context.after(close);
  const { fd } = (near as unknown as { _handle: { fd: number } })._handle;
  await assert.rejects(verify(fd), { code: 'XB_USAGE', message: /socket/ });
});

test('the descriptor of a pipe that is silent does not keep us', { timeout: 60_000 }, async () => {
  const { readFd, writeFd } = openPipe();
  await assert.rejects(verify(readFd, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' });
  fs.writeSync(writeFd, 'x');
  fs.closeSync(writeFd);
  const stream = new Socket({ fd: readFd });
  await assert.rejects(verify(stream, { signal: AbortSignal.timeout(20_000) }).then(assertOk), {
    code: 'XB_BAD_MAGIC',
  });
});

function assertOk({ ok, problems }: Awaited<ReturnType<typeof verify>>): void {
  if (!ok) throw problems[0]!;
}
