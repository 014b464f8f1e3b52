/** Inputs by themselves: what they give, how they are stopped, and that whoever takes may take its time. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSource, type InputChoice } from '../../dist/input/open-source.js';
import { PIECE_ROOM_BYTES, type ByteSink, type Source } from '../../dist/input/source.js';
import { TimedSource } from '../../dist/input/timed-source.js';
import { noise } from '../helpers/archive-bytes.js';
import { feed, openPipe } from '../helpers/pipes.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';

const content = noise(3_000_001);

/** Notes what it is given. The room is the same every time, so that nothing may be put there too early. */
class NotingSink implements ByteSink {
  readonly parts: Buffer[] = [];
  skippableBytes = 0;
  skipped = 0;
  readonly #room = Buffer.alloc(PIECE_ROOM_BYTES);
  readonly #wait: ((piece: Buffer) => Promise<void>) | undefined;

  constructor(wait?: (piece: Buffer) => Promise<void>) {
    this.#wait = wait;
  }

  room(): Buffer {
    return this.#room;
  }

  push(piece: Buffer): Promise<void> | undefined {
    if (this.#wait === undefined) {
      this.parts.push(Buffer.from(piece));
      return undefined;
    }
    return this.#wait(piece).then(() => void this.parts.push(Buffer.from(piece)));
  }

  skip(bytes: number): void {
    this.skippableBytes -= bytes;
    this.skipped += bytes;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

const KINDS = ['file', 'pipe'] as const;

/** An input of this content. */
function inputOf(context: Cleanup, kind: (typeof KINDS)[number], bytes: Buffer): InputChoice {
  if (kind === 'file') {
    const path = join(tempDir(context), 'input');
    fs.writeFileSync(path, bytes);
    return { kind: 'path', path };
  }
  const { readFd, writeFd } = openPipe();
  void feed(writeFd, bytes);
  return { kind: 'descriptor', fd: readFd };
}

function open(choice: InputChoice): Promise<Source> {
  return openSource(choice, () => false);
}

for (const kind of KINDS) {
  describe(kind, () => {
    test('gives all bytes in order', async (context) => {
      const sink = new NotingSink();
      await (await open(inputOf(context, kind, content))).run(sink);
      assert.ok(sink.bytes.equals(content));
    });

    test('waits for a sink that takes its time', async (context) => {
      let pending = 0;
      const sink = new NotingSink(async () => {
        pending += 1;
        assert.equal(pending, 1);
        await sleep(1);
        pending -= 1;
      });
      await (await open(inputOf(context, kind, content))).run(sink);
      assert.ok(sink.bytes.equals(content));
    });

    test('of no bytes', async (context) => {
      const sink = new NotingSink();
      await (await open(inputOf(context, kind, Buffer.alloc(0)))).run(sink);
      assert.equal(sink.parts.length, 0);
    });

    test('ends with what the sink throws, or rejects with', async (context) => {
      for (const wait of [
        () => {
          throw new Error('enough');
        },
        () => Promise.reject(new Error('enough')),
      ]) {
        await assert.rejects((await open(inputOf(context, kind, content))).run(new NotingSink(wait)), {
          message: 'enough',
        });
      }
    });

    test('gives nothing more once it is stopped', async (context) => {
      const source = await open(inputOf(context, kind, content));
      const sink = new NotingSink(async () => {
        source.stop();
        await sleep(1);
      });
      await source.run(sink);
      assert.ok(sink.parts.length <= 1);
    });

    test('that was stopped before it began', async (context) => {
      const choice = inputOf(context, kind, content);
      const source = await open(choice);
      source.stop();
      const sink = new NotingSink();
      await source.run(sink);
      assert.equal(sink.parts.length, 0);
      if (choice.kind === 'descriptor') fs.closeSync(choice.fd);
    });
  });
}

test('a silent pipe is stopped', async () => {
  const { readFd, writeFd } = openPipe();
  const source = await open({ kind: 'descriptor', fd: readFd });
  const running = source.run(new NotingSink());
  await sleep(20);
  source.stop();
  await running;
  fs.closeSync(writeFd);
});

test('a pipe of which nothing is read is given back: whoever writes to it does not wait for ever', async (context) => {
  const { readFd, writeFd } = openPipe();
  context.after(() => fs.closeSync(writeFd));
  const source = await open({ kind: 'descriptor', fd: readFd });
  source.close();
  // It may be closed twice, and the number be somebody else's by then.
  const other = fs.openSync('/dev/null', 'r');
  source.close();
  fs.closeSync(other);
  assert.throws(() => fs.writeSync(writeFd, 'x'), { code: 'EPIPE' });
});

test('a file is jumped over where nobody needs it, but not beyond its end', async (context) => {
  const choice = inputOf(context, 'file', content);
  const sink = new NotingSink();
  sink.skippableBytes = 1_000_000;
  await (await open(choice)).run(sink);
  assert.equal(sink.skipped, 1_000_000);
  const first = sink.parts[0]!.length;
  const expected = Buffer.concat([content.subarray(0, first), content.subarray(first + 1_000_000)]);
  assert.ok(sink.bytes.equals(expected));
  const greedy = new NotingSink();
  greedy.skippableBytes = 1e15;
  await (await open(choice)).run(greedy);
  assert.equal(greedy.skipped, content.length - greedy.parts[0]!.length);
});

test('the time that it takes to make room is none in which nothing has come', async () => {
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const source: Source = {
    seekable: false,
    run: async (sink) => {
      await sleep(200);
      const room = sink.room();
      await sleep(200);
      await sink.push(room.subarray(0, 1));
    },
    ...{ stop: () => undefined, close: () => undefined },
  };
  let taken = 0;
  await new TimedSource(source, 1, 'the pipe').run({
    room: () => {
      // A disk that is slow.
      Atomics.wait(asleep, 0, 0, 1200);
      return Buffer.alloc(PIECE_ROOM_BYTES);
    },
    push: ({ length }) => void (taken += length),
    ...{ skippableBytes: 0, skip: () => undefined },
  });
  assert.equal(taken, 1);
});

test('what cannot be opened is told by its name', async (context) => {
  const directory = tempDir(context);
  await assert.rejects(() => open({ kind: 'path', path: '/no/such/file' }), { code: 'XB_IO', systemCode: 'ENOENT' });
  await assert.rejects(() => open({ kind: 'path', path: directory }), { code: 'XB_IO', systemCode: 'EISDIR' });
  // Of a directory like / no more is read than tells that it holds no objects of an archive.
  await assert.rejects(() => open({ kind: 'path', path: '/' }), { code: 'XB_IO', systemCode: 'EISDIR' });
});
