/** The thread that decodes and makes zstd frames with the package, one after the other. */
import { createRequire } from 'node:module';
import { workerData } from 'node:worker_threads';
import { freeNativeMemory } from './native-memory.js';
import { ThreadPresence } from '../thread-presence.js';
import { ANSWERS, PRESENCE, type ZstdAnswer, type ZstdOrder, type ZstdThreadData } from './zstd-frames.js';

type Convert = (bytes: Buffer) => Promise<Buffer>;
interface ZstdPackage {
  decompress: Convert;
  compress: Convert;
}

const { port, state: memory } = workerData as ZstdThreadData;
const state = new Int32Array(memory);
let zstd: ZstdPackage | undefined;

new ThreadPresence(state, PRESENCE).announce();

async function convert({ bytes, compress }: ZstdOrder): Promise<ZstdAnswer> {
  try {
    zstd ??= createRequire(import.meta.url)('@mongodb-js/zstd') as ZstdPackage;
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
  try {
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const native = await (compress ? zstd.compress(given) : zstd.decompress(given));
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
port.on('message', (order: ZstdOrder) => {
  last = last.then(async () => {
    const answer = await convert(order);
    // First: whoever sees the number takes the answer.
    port.postMessage(answer, 'output' in answer ? [answer.output.buffer as ArrayBuffer] : []);
    Atomics.add(state, ANSWERS, 1);
    Atomics.notify(state, ANSWERS);
  });
});
