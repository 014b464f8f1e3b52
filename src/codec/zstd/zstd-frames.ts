/**
 * Decodes whole frames of one file, where Node cannot decode them as they come; the decoder checks their sizes and checksums.
 * One is decoded while the next one is read and what came out of the one before is written.
 */
import * as zlib from 'node:zlib';
import { XbstreamError } from '../../errors.js';
import { Helper } from '../../threads/helper.js';
import type { OutputSink } from '../codec.js';
import { freeNativeMemory } from '../native-memory.js';
import { ZstdFailure } from './zstd-stream.js';

/** What the thread is to do. */
export interface ZstdOrder {
  /** A frame to be decoded, or what is to be made one. */
  bytes: Uint8Array;
  compress: boolean;
}

/** What it answers. */
export type ZstdAnswer = { output: Uint8Array } | { failure: string } | { missing: string };

/**
 * Has frames decoded by the package, which only decodes asynchronously, in a thread of its own, and waits for what comes out:
 * who undoes layers does all else at once.
 */
class ZstdThread {
  readonly #helper = new Helper<undefined, ZstdOrder, ZstdAnswer>(new URL('./zstd-thread.js', import.meta.url), {
    name: 'the thread that decodes zstd',
    data: undefined,
    decodes: true,
  });
  #sent = 0;
  #heard = 0;
  /** Answers that nobody has taken, by the numbers of their frames. */
  readonly #answers = new Map<number, ZstdAnswer>();

  constructor() {
    this.#helper.unref();
  }

  /** @param bytes lent until the call returns @returns the number of the answer */
  send(bytes: Buffer, compress: boolean): number {
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(copy);
    this.#helper.tell({ bytes: copy, compress }, [copy.buffer]);
    return this.#sent++;
  }

  /** @throws Error when the thread has ended */
  take(number: number): ZstdAnswer {
    while (this.#heard <= number) this.#answers.set(this.#heard++, this.#helper.waitForAnswer());
    const answer = this.#answers.get(number)!;
    this.#answers.delete(number);
    return answer;
  }
}

let thread: ZstdThread | undefined;

export class ZstdFrames {
  /** The number of the frame that is being decoded. */
  #underWay: number | undefined;

  /** Begins to decode a frame; there must be none under way. @param frame lent until the call returns */
  begin(frame: Buffer): void {
    thread ??= new ZstdThread();
    this.#underWay = thread.send(frame, false);
  }

  /** Waits for the frame that is under way. */
  take(): ZstdAnswer {
    const answer = thread!.take(this.#underWay!);
    this.#underWay = undefined;
    return answer;
  }

  /** Nobody wants what is under way: it is waited for, since what waits in the thread takes memory. */
  close(): void {
    try {
      if (this.#underWay !== undefined) thread!.take(this.#underWay);
    } catch {
      // It has ended: whoever wants something of it is told so.
    }
    this.#underWay = undefined;
  }
}

/**
 * Makes a frame.
 *
 * @throws XbstreamError `XB_IO` where the package is missing
 */
function compressedFrame(content: Buffer): Buffer {
  thread ??= new ZstdThread();
  let frame = Buffer.alloc(0);
  const answer = thread.take(thread.send(content, true));
  passOn(answer, (bytes) => (frame = Buffer.from(bytes)), 'made');
  return frame;
}

/**
 * Gives what has come out of a frame.
 *
 * @throws {@link ZstdFailure}; XbstreamError `XB_IO` where the package is missing; what the sink throws
 */
export function passOn(answer: ZstdAnswer, sink: OutputSink, wanted: 'decoded' | 'made' = 'decoded'): void {
  if ('failure' in answer) throw new ZstdFailure(answer.failure);
  if ('missing' in answer) throw missing(answer.missing, wanted);
  const output = Buffer.from(answer.output.buffer);
  try {
    if (output.length > 0) sink(output);
  } finally {
    freeNativeMemory(output);
  }
}

function missing(reason: string, wanted: 'decoded' | 'made'): XbstreamError {
  return new XbstreamError(
    'XB_IO',
    `zstd cannot be ${wanted}: the package @mongodb-js/zstd is missing, or does not load`,
    {
      details: [`Node has zstd of its own from 22.15 on; this is Node ${process.versions.node}`, reason],
      hints: ['install the packages again (npm ci), or use a newer Node'],
    },
  );
}

interface ZlibWithZstd {
  zstdCompressSync?: (content: Buffer, options: { params: Record<number, number> }) => Buffer;
  constants: { ZSTD_c_checksumFlag?: number };
}

const { zstdCompressSync, constants } = zlib as unknown as ZlibWithZstd;

/** Makes a zstd frame, by Node's own encoder where it has one, which adds a checksum; else by the package. */
export function compressZstdFrame(content: Buffer): Buffer {
  if (zstdCompressSync === undefined) return compressedFrame(content);
  return zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag!]: 1 } });
}
