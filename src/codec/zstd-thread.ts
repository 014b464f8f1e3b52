/** The thread that decodes zstd frames with the package, one after the other. */
import { createRequire } from 'node:module';
import { workerData } from 'node:worker_threads';
import { freeNativeMemory } from './native-memory.js';
import { ThreadPresence } from '../thread-presence.js';
import { ANSWERS, PRESENCE, type ZstdAnswer, type ZstdThreadData } from './zstd-frames.js';

type Decompress = (frame: Buffer) => Promise<Buffer>;

const { port, state: memory } = workerData as ZstdThreadData;
const state = new Int32Array(memory);
let decompress: Decompress | undefined;

new ThreadPresence(state, PRESENCE).announce();

async function decode(frame: Buffer): Promise<ZstdAnswer> {
  try {
    decompress ??= (createRequire(import.meta.url)('@mongodb-js/zstd') as { decompress: Decompress }).decompress;
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
  try {
    const native = await decompress(frame);
    // What the package has allocated cannot be moved to another thread.
    const output = Buffer.allocUnsafeSlow(native.length);
    native.copy(output);
    freeNativeMemory(native);
    return { output };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

let last = Promise.resolve();

// One after the other: answers come in the order of the frames.
port.on('message', (frame: Uint8Array) => {
  last = last.then(async () => {
    const answer = await decode(Buffer.from(frame.buffer, frame.byteOffset, frame.length));
    // First: whoever sees the number takes the answer.
    port.postMessage(answer, 'output' in answer ? [answer.output.buffer as ArrayBuffer] : []);
    Atomics.add(state, ANSWERS, 1);
    Atomics.notify(state, ANSWERS);
  });
});
