import { createRequire } from 'node:module';
import { freeNativeMemory } from './native-memory.js';
import type { ZstdAnswer } from './zstd-frames.js';

type Decompress = (frame: Buffer) => Promise<Buffer>;

let decompress: Decompress | undefined;

/** Decodes one whole frame by the package. */
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

/** @returns what takes frames, and answers one after the other, in their order */
export function answerFrames(
  answer: (answer: ZstdAnswer, moved: readonly ArrayBuffer[]) => void,
): (frame: Uint8Array) => void {
  let last = Promise.resolve();
  return (frame) => {
    last = last.then(async () => {
      const decoded = await decode(Buffer.from(frame.buffer, frame.byteOffset, frame.length));
      answer(decoded, 'output' in decoded ? [decoded.output.buffer as ArrayBuffer] : []);
    });
  };
}
