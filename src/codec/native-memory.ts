type Detach = (buffer: ArrayBuffer) => unknown;

let detach: Detach | undefined;

/**
 * Frees memory outside V8's heap that came with a buffer, at once. The buffer is empty then, and so are all that share its
 * memory.
 *
 * V8 counts what a native decoder has allocated as a few bytes of its own, and collects far too late: decoding 10 MiB zstd
 * frames one after the other peaked at 212 MB, where so it stays below 110 MB, takes a third of the fresh pages, and needs
 * no collections, which took as long as a quarter of the decoding.
 */
export function freeNativeMemory({ buffer, length }: Buffer): void {
  // Small buffers share their memory with others.
  if (buffer.byteLength !== length || !(buffer instanceof ArrayBuffer)) return;
  try {
    detach ??= makeDetach();
    detach(buffer);
  } catch {
    // V8 may have thrown its code away, which was compiled under a flag. If that is not it, the collector has to do.
    detach = undefined;
  }
}

function makeDetach(): Detach {
  // Node 22 and later.
  if ('transfer' in ArrayBuffer.prototype) {
    return (buffer) => (buffer as ArrayBuffer & { transfer(bytes: number): ArrayBuffer }).transfer(0);
  }
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  const { runInThisContext } = process.getBuiltinModule('node:vm');
  // What transfer() does, by the name that V8's own tests call it. The flag concerns what is compiled while it is set.
  setFlagsFromString('--allow-natives-syntax');
  try {
    const made = runInThisContext('(buffer) => %ArrayBufferDetach(buffer)') as Detach;
    made(new ArrayBuffer(1));
    return made;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}
