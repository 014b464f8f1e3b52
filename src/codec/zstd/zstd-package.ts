/** Decodes and makes zstd frames by the package `@mongodb-js/zstd`, in a thread of its own. */
import { installedPackage } from '../../installed-package.js';
import { freeNativeMemory } from '../native-memory.js';
import type { ZstdAnswer, ZstdOrder } from './zstd-frames.js';

type Convert = (bytes: Buffer) => Promise<Buffer>;

interface ZstdPackage {
  decompress: Convert;
  compress: Convert;
}

let zstd: ZstdPackage | undefined;

/** Decodes, or makes, one whole frame by the package. */
async function convert({ bytes, compress }: ZstdOrder): Promise<ZstdAnswer> {
  try {
    zstd ??= installedPackage('@mongodb-js/zstd') as ZstdPackage;
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

/** @returns what takes frames, and answers one after the other, in their order */
export function answerFrames(
  answer: (answer: ZstdAnswer, moved: readonly ArrayBuffer[]) => void,
): (order: ZstdOrder) => void {
  let last = Promise.resolve();
  return (order) => {
    last = last.then(async () => {
      const found = await convert(order);
      answer(found, 'output' in found ? [found.output.buffer as ArrayBuffer] : []);
    });
  };
}
