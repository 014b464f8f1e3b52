/** Compresses what is written to it, in frames that are independent of each other (format.md, section 8). */
import * as zlib from 'node:zlib';
import { compressZstdFrame } from '../codec/zstd/zstd-frames.js';
import { systemError } from '../errors.js';
import { installedPackage } from '../installed-package.js';
import type { Compression } from './compression.js';
import type { SequentialSink } from './sinks.js';

/** Takes what is made. */
export interface TargetSink extends SequentialSink {
  /** Bytes taken so far. */
  readonly bytes: number;
}

/** How much goes into a frame, which can be decoded by itself, in bytes. */
const FRAME_CONTENT_BYTES = 4 * 1024 * 1024;

// The zstd seekable format: a frame to be skipped, behind all others, with the lengths of each.
const SKIPPABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const SEEK_ENTRY_BYTES = 8;
const SEEK_FOOTER_BYTES = 9;

type CompressFrame = (content: Buffer) => Buffer;

export class CompressingSink implements TargetSink {
  readonly #sink: TargetSink;
  readonly #compression: Compression;
  readonly #compress: CompressFrame;
  readonly #content = Buffer.allocUnsafeSlow(FRAME_CONTENT_BYTES);
  #contentBytes = 0;
  /** Lengths of each frame, and of what is in it. */
  readonly #frames: number[] = [];

  /** @throws XbstreamError `XB_IO` where what compresses is missing */
  constructor(sink: TargetSink, compression: Compression) {
    this.#sink = sink;
    this.#compression = compression;
    this.#compress = COMPRESSORS[compression]();
  }

  get bytes(): number {
    return this.#sink.bytes;
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const taken = bytes.copy(this.#content, this.#contentBytes, at);
      this.#contentBytes += taken;
      at += taken;
      if (this.#contentBytes === FRAME_CONTENT_BYTES) this.flush();
    }
  }

  writeAll(buffers: readonly Buffer[]): void {
    for (const bytes of buffers) this.write(bytes);
  }

  /** Writes what has come so far as a frame. */
  flush(): void {
    if (this.#contentBytes === 0) return;
    const frame = this.#compress(this.#content.subarray(0, this.#contentBytes));
    if (this.#compression === 'zstd') this.#frames.push(frame.length, this.#contentBytes);
    this.#contentBytes = 0;
    this.#sink.write(frame);
  }

  /** All is written. */
  end(): void {
    this.flush();
    if (this.bytes === 0) this.#sink.write(this.#compress(Buffer.alloc(0)));
    if (this.#compression === 'zstd') this.#sink.write(seekTable(this.#frames));
  }
}

function seekTable(frames: readonly number[]): Buffer {
  const count = frames.length / 2;
  const table = Buffer.alloc(8 + count * SEEK_ENTRY_BYTES + SEEK_FOOTER_BYTES);
  let at = table.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  at = table.writeUInt32LE(table.length - at - 4, at);
  for (const bytes of frames) at = table.writeUInt32LE(bytes, at);
  at = table.writeUInt32LE(count, at);
  // No checksums in the table.
  at = table.writeUInt8(0, at);
  table.writeUInt32LE(SEEKABLE_MAGIC, at);
  return table;
}

const COMPRESSORS: Readonly<Record<Compression, () => CompressFrame>> = {
  gzip: () => (content) => zlib.gzipSync(content),
  zstd: () => compressZstdFrame,
  lz4: () => {
    const { compressFrameSync } = packagedLz4();
    return (content) => compressFrameSync(content, { contentChecksum: true });
  },
};

interface Lz4Package {
  compressFrameSync: (content: Buffer, options: { contentChecksum: boolean }) => Buffer;
}

function packagedLz4(): Lz4Package {
  try {
    return installedPackage('lz4-napi') as Lz4Package;
  } catch (error) {
    throw systemError('LZ4 cannot be written: the package lz4-napi is missing, or does not load', error, {
      hints: ['install the packages again (npm ci), or compress it on the way: tsxbstream create ... | lz4 > FILE'],
    });
  }
}
