/** The thread that decodes zstd frames with the package, one after the other. */
import { createRequire } from 'node:module';
import { workerData } from 'node:worker_threads';
import { freeNativeMemory } from './native-memory.js';
import { GONE, type ZstdAnswer, type ZstdThreadData } from './zstd-frames.js';

type Decompress = (frame: Buffer) => Promise<Buffer>;

const { port, answers } = workerData as ZstdThreadData;
const count = new Int32Array(answers);
let decompress: Decompress | undefined;

process.on('exit', () => {
  Atomics.store(count, 0, GONE);
  Atomics.notify(count, 0);
});

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

port.on('message', (frame: Uint8Array) => {
  void decode(Buffer.from(frame.buffer, frame.byteOffset, frame.length)).then((answer) => {
    // First: whoever sees the number takes the answer.
    port.postMessage(answer, 'output' in answer ? [answer.output.buffer as ArrayBuffer] : []);
    Atomics.add(count, 0, 1);
    Atomics.notify(count, 0);
  });
});
