import { XbstreamError, type XbstreamErrorCode } from '../errors.js';
import type { JobMemory } from './job-memory.js';

/** What can have been done to a stored file, named as users know it. */
export type LayerName = 'xbcrypt' | 'zstd' | 'lz4' | 'qpress';

export type CipherName = 'AES128' | 'AES192' | 'AES256' | 'NONE';

/** What decrypts. `bytes` is empty for `NONE`. Plain data, so that it can be sent to another thread. */
export interface DecryptionKey {
  cipher: CipherName;
  bytes: Uint8Array;
}

interface JobBase {
  /** Whole units of the layer: chunks, blocks or frames. See {@link WalkerOptions.concurrent} for how long they last. */
  bytes: Uint8Array;
  /** Position of `bytes[0]` in the layer's data, in bytes; only for messages. */
  layerOffset: number;
  /** No more than this comes out, in bytes: it is known before anything is decoded. */
  outputBytesMax: number;
  /** Exactly so much comes out if the job succeeds, in bytes; missing where that is not known before. */
  outputBytes?: number | undefined;
  /** Runs through {@link LayerWalker.runInOrder} when all jobs before it are done, since it needs what they left. */
  inOrder?: boolean;
}

export interface XbcryptJob extends JobBase {
  layer: 'xbcrypt';
  version: 1 | 2 | 3;
  key: DecryptionKey;
}

export interface QpressJob extends JobBase {
  layer: 'qpress';
}

export interface Lz4Job extends JobBase {
  layer: 'lz4';
  /** Most bytes a block decodes to, as the frame says. */
  blockBytesMax: number;
  /** Size of the frame's content, where it says it. */
  contentBytes?: number | undefined;
  blockChecksums: boolean;
  /** Blocks may copy from the 64 KiB of output before them. */
  linked: boolean;
  /** For linked blocks: the output before this job, at most 64 KiB of it. */
  history?: Uint8Array;
  /** `bytes` are all blocks of the frame: content size and checksum can be judged without other jobs. */
  wholeFrame: boolean;
  /** These are the last blocks of their frame. */
  lastOfFrame: boolean;
  /** XXH32 of the frame's content, with the last job of a frame that has one. */
  contentChecksum?: number;
}

export interface ZstdJob extends JobBase {
  layer: 'zstd';
  /** Set where `bytes` are a part of a frame too large to be decoded in one go. */
  part?: { first: boolean; last: boolean; contentBytes: number | undefined };
}

/**
 * A piece of decoding that can be done alone and in any thread. Everything in it is plain data (it survives
 * `postMessage`).
 */
export type DecodeJob = XbcryptJob | QpressJob | Lz4Job | ZstdJob;

/** What came out of a job that was not done at once. */
export interface JobOutput {
  pieces: readonly Buffer[];
  /** Called when it is the turn of the job, before its pieces are passed on. */
  onTurn?(): void;
  /** The output is where it belongs, and the job's bytes are needed no more. */
  isPlaced?: boolean;
  /** Called when the pieces have been used, or will never be: their memory may be taken back. */
  release?(): void;
}

/** Takes output in order. A piece is only lent: its bytes are good until the call returns. */
export type OutputSink = (piece: Buffer) => void;

/**
 * Does a job. Either at once: then all output has gone to `sink` when it returns `undefined`. Or later: then it
 * resolves to the output and does not touch `sink`.
 *
 * @param isNext it is this job's turn: what goes to `sink` is passed on at once
 */
export type JobRunner = (job: DecodeJob, sink: OutputSink, isNext: boolean) => Promise<JobOutput> | undefined;

/**
 * Does a job whose output is put where it belongs by whoever does it, instead of being passed on.
 *
 * @param outputOffset position of the job's first byte in all output, in bytes
 * @returns undefined where that cannot be: nothing is done then
 */
export type JobPlacer = (job: DecodeJob, outputOffset: number) => Promise<JobOutput> | JobOutput | undefined;

export interface WalkerOptions {
  /**
   * True when jobs are done elsewhere and several at a time. They are then of a size that is worth sending (1 MiB of
   * output, where the layer allows) and own their `bytes`. When false, jobs are what the pushed piece holds, and their
   * `bytes` are only lent until `emit` returns (zstd jobs own theirs always).
   */
  concurrent: boolean;
  /** Where the memory comes from that jobs own. */
  memory: JobMemory;
}

/**
 * Finds the units of one layer in bytes that come in pieces of any size. It walks headers and decodes nothing; it
 * believes no size: memory grows with the bytes that have come, up to a fixed bound.
 */
export interface LayerWalker {
  readonly layer: LayerName;
  /** The layer's magic has been seen. */
  readonly recognised: boolean;
  /** Data has been decrypted with a key that this version of the format cannot prove to be the right one. */
  readonly keyUnproven?: boolean;
  /**
   * @param bytes lent until the call returns
   * @throws XbstreamError `XB_BAD_LAYER`, `XB_UNSUPPORTED_LAYER`, and whatever `emit` throws
   */
  push(bytes: Buffer, emit: (job: DecodeJob) => void): void;
  /**
   * Where the next bytes of the layer may be put before they are pushed, so that they need not be copied.
   *
   * @param bytes most that are wanted
   * @returns room for some; it is the caller's until the next call. Undefined where {@link push} copies nothing
   */
  room?(bytes: number): Buffer | undefined;
  /** @throws XbstreamError `XB_LAYER_TRUNCATED`, and whatever `emit` throws */
  end(emit: (job: DecodeJob) => void): void;
  /** Does a job that is marked `inOrder`; `sink` may be called until the promise is settled. */
  runInOrder?(job: DecodeJob, run: JobRunner, sink: OutputSink): Promise<JobOutput> | undefined;
  /** Sees the output of each job in order, before it is passed on: for checks that span jobs. */
  checkOutput?(job: DecodeJob, piece: Buffer): void;
  /** Called when a job's output is complete; its bytes may be used again from now on. @throws XbstreamError `XB_BAD_LAYER` */
  jobDone?(job: DecodeJob): void;
  /** Frees what a decoder holds outside the heap; the walker is not used again. */
  close?(): void;
}

const TITLES: Readonly<Record<LayerName, string>> = { xbcrypt: 'xbcrypt', zstd: 'zstd', lz4: 'LZ4', qpress: 'qpress' };

/**
 * An error at a place in a layer's data.
 *
 * @param layerOffset where in the layer's data, in bytes
 * @param found further lines: what was expected, what was found
 */
export function layerError(
  code: XbstreamErrorCode,
  message: string,
  layer: LayerName,
  layerOffset: number,
  ...found: string[]
): XbstreamError {
  return new XbstreamError(code, message, {
    details: [`at byte ${layerOffset} of the ${TITLES[layer]} data`, ...found],
  });
}

/** A checksum as messages show it. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
