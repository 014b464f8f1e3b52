import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { XbstreamError } from '../errors.js';
import type { OutputSink } from './codec.js';
import { freeNativeMemory } from './native-memory.js';
import { ZstdFailure } from './zstd-stream.js';

/** What the thread is started with. */
export interface ZstdThreadData {
  port: MessagePort;
  /** One int32: how many answers it has given, or {@link GONE}. */
  answers: SharedArrayBuffer;
}

/** What it answers for a frame. */
export type ZstdAnswer = { output: Uint8Array } | { failure: string } | { missing: string };

/** The thread is over and will answer no more. */
export const GONE = -1;

/**
 * Has frames decoded by the package, which only decodes asynchronously, in a thread of its own, and waits for each: who undoes
 * layers does all else at once.
 */
class ZstdThread {
  readonly #port: MessagePort;
  readonly #answers = new Int32Array(new SharedArrayBuffer(4));

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: ZstdThreadData = { port: port2, answers: this.#answers.buffer };
    const worker = new Worker(new URL('./zstd-thread.js', import.meta.url), { workerData, transferList: [port2] });
    worker.unref();
    port1.unref();
  }

  /** @throws Error what is no fault of the frame */
  decode(frame: Buffer): ZstdAnswer {
    const answered = Atomics.load(this.#answers, 0);
    const copy = Buffer.allocUnsafeSlow(frame.length);
    frame.copy(copy);
    this.#port.postMessage(copy, [copy.buffer]);
    Atomics.wait(this.#answers, 0, answered);
    const answer = receiveMessageOnPort(this.#port)?.message as ZstdAnswer | undefined;
    if (answer === undefined) throw new Error('the thread that decodes zstd has ended');
    return answer;
  }
}

let thread: ZstdThread | undefined;

/**
 * Decodes a whole frame, where Node cannot decode it as it comes. The decoder checks content size and checksum.
 *
 * @throws {@link ZstdFailure}, and what the sink throws
 */
export function decodeZstdFrame(frame: Buffer, sink: OutputSink): void {
  thread ??= new ZstdThread();
  const answer = thread.decode(frame);
  if ('failure' in answer) throw new ZstdFailure(answer.failure);
  if ('missing' in answer) {
    throw new XbstreamError(
      'XB_IO',
      'zstd cannot be decoded: the package @mongodb-js/zstd is missing, or does not load',
      {
        details: [`Node has zstd of its own from 22.15 on; this is Node ${process.versions.node}`, answer.missing],
        hints: ['install the packages again (npm ci), or use a newer Node'],
      },
    );
  }
  const output = Buffer.from(answer.output.buffer);
  try {
    if (output.length > 0) sink(output);
  } finally {
    freeNativeMemory(output);
  }
}
