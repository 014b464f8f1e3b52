/**
 * What stands behind Node's own decoders: the synchronous call that `zlib.zstdDecompressSync` and `zlib.inflateRawSync` are
 * made of, and that well-known packages use as well. It is not documented, so that it is tried before it is trusted.
 *
 * It is the one way that writes into memory which is used again (what `zstdDecompressSync` returns is fresh pages, twice, and
 * took 1.7 times the CPU for frames of 10 MiB), and that tells where the data ends.
 */
export interface ZlibDecoder {
  _handle: ZlibHandle | null;
  /** What the last call has left of output and input, in bytes. */
  _writeState: Uint32Array;
  close(): void;
}

export interface ZlibHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void;
  onerror: (message: string) => void;
}

/** The handle of a decoder; undefined where this Node has none, or another. */
export function handleOf({ _handle: handle }: ZlibDecoder): ZlibHandle | undefined {
  return handle === null || typeof handle.writeSync !== 'function' ? undefined : handle;
}
