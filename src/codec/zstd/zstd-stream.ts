/** Decodes zstd as it comes, however large a frame is, with Node's own decoder. */
import type { OutputSink } from '../codec.js';
import { handleOf, type ZlibDecoder, type ZlibHandle } from '../zlib-decoder.js';

interface ZlibWithZstd {
  createZstdDecompress?: () => ZlibDecoder;
  constants: { ZSTD_e_continue?: number };
}

/** Not before something is decoded: see `xbcrypt/xbcrypt.ts`. */
const zlib = (): ZlibWithZstd => process.getBuiltinModule('node:zlib') as unknown as ZlibWithZstd;

/** Output is passed on in pieces of this size, which stay in the CPU's caches. */
const OUTPUT_PIECE_BYTES = 256 << 10;

const SENTINEL = Buffer.from('every byte was out before these.', 'latin1');
/** A whole frame of one raw block: single segment, content size in one byte, the last block. */
const SENTINEL_FRAME = Buffer.concat([
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, SENTINEL.length]),
  Buffer.from([((SENTINEL.length << 3) & 0xff) | 1, SENTINEL.length >>> 5, 0]),
  SENTINEL,
]);

/** What a decoder takes beside its window, in bytes. */
const STATE_BYTES = 256 << 10;
/** The largest window that backups have: `zstd -19`. */
const SPARE_WINDOW_BYTES_MAX = 8 << 20;

/** Where output goes before it is passed on. There is one, since all of it is passed on before a call returns. */
let room: Buffer | undefined;

/** What a decoder says of data that it cannot decode. */
export class ZstdFailure extends Error {}

export class ZstdStream {
  readonly #decoder: ZlibDecoder = zlib().createZstdDecompress!();
  readonly #handle: ZlibHandle;
  readonly #continue = zlib().constants.ZSTD_e_continue!;
  #failure: string | undefined;
  /** The largest window that it was given a frame with, in bytes: it keeps that much. */
  #windowBytes = 0;

  constructor() {
    const handle = handleOf(this.#decoder);
    if (handle === undefined) throw new ZstdFailure('no synchronous decoder');
    this.#handle = handle;
    handle.onerror = (message) => {
      this.#failure = message;
    };
  }

  /** A frame with a window of this size comes. @returns what it holds then at most, in bytes */
  begin(windowBytes: number): number {
    this.#windowBytes = Math.max(this.#windowBytes, windowBytes);
    return this.#windowBytes + STATE_BYTES;
  }

  /** It may wait for the next frame of whatever file. */
  get isSmall(): boolean {
    return this.#windowBytes <= SPARE_WINDOW_BYTES_MAX;
  }

  /** Decodes a part of a frame. @throws {@link ZstdFailure}, and what the sink throws */
  decode(bytes: Buffer, sink: OutputSink): void {
    const output = (room ??= Buffer.allocUnsafeSlow(OUTPUT_PIECE_BYTES));
    let at = 0;
    for (;;) {
      this.#handle.writeSync(this.#continue, bytes, at, bytes.length - at, output, 0, output.length);
      if (this.#failure !== undefined) throw new ZstdFailure(this.#failure);
      const [leftOutput = 0, leftInput = 0] = this.#decoder._writeState;
      const produced = output.length - leftOutput;
      const isStuck = produced === 0 && leftInput === bytes.length - at;
      at = bytes.length - leftInput;
      if (produced > 0) sink(output.subarray(0, produced));
      // A decoder that has filled its room may have more.
      if (leftInput === 0 && leftOutput > 0) return;
      if (isStuck) throw new ZstdFailure('the decoder does not go on');
    }
  }

  /**
   * A frame has ended. Some Node 22 return short output without an error, so another frame, made here, follows: what it holds
   * comes out last, and only when the decoder has seen the end and the checksum of the one before and lost nothing.
   *
   * @throws {@link ZstdFailure}
   */
  assertEnded(): void {
    const last: Buffer[] = [];
    this.decode(SENTINEL_FRAME, (piece) => last.push(Buffer.from(piece)));
    if (!Buffer.concat(last).equals(SENTINEL))
      throw new ZstdFailure(`it was not decoded to its end, ${process.version}`);
  }

  close(): void {
    this.#decoder.close();
  }
}

/** One that no frame needs just now. */
let spare: ZstdStream | undefined;

/** The one that waits, or another. It is the caller's. @throws {@link ZstdFailure} */
export function takeZstdStream(): ZstdStream {
  const stream = spare ?? new ZstdStream();
  spare = undefined;
  return stream;
}

/** It has ended a frame, and is not needed just now. */
export function giveBackZstdStream(stream: ZstdStream): void {
  if (spare === undefined) spare = stream;
  else stream.close();
}

let isUsable: boolean | undefined;

/** Whether this Node can decode zstd as it comes: from 22.15 on. */
export function canStreamZstd(): boolean {
  isUsable ??= zlib().createZstdDecompress !== undefined && streamsWell();
  return isUsable;
}

function streamsWell(): boolean {
  try {
    const stream = new ZstdStream();
    stream.assertEnded();
    stream.close();
    return true;
  } catch {
    return false;
  }
}
