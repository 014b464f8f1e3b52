/** Where the bytes of an archive come from, and where they go. */
import type { InputFlaws } from './flaws.js';
import type { Span } from './positioned.js';

/**
 * Most bytes that are read at a time. Pieces stay in the CPU's caches between read, checksum and write, which counts for
 * more than fewer calls: on tmpfs 256 KiB to 1 MiB were best, on ext4 1 MiB by a little.
 */
export const PIECE_BYTES = 512 * 1024;

export const PAGE_BYTES = 4096;
/** Where malloc puts a large block within a page. */
const MALLOC_OFFSET = 16;

/** Room for a piece: what is read may begin anywhere in the first page of it. */
export const PIECE_ROOM_BYTES = PIECE_BYTES + PAGE_BYTES;

/**
 * Where in a room to put what is read from a position. A copy whose target lies a few bytes above its source modulo the page
 * size runs at a quarter of the speed (2.2 against 9 GB/s measured): this puts half a page between the two.
 */
export function startInRoom(position: number): number {
  return (position + PAGE_BYTES / 2 - MALLOC_OFFSET) % PAGE_BYTES;
}

/** Takes the bytes of an input. */
export interface ByteSink {
  /** Where the next piece may be put: {@link PIECE_ROOM_BYTES} that begin where malloc begins large blocks. */
  room(): Buffer;
  /**
   * Takes the next piece, a part of the last {@link room}; that may be asked for again once this call, and the promise it
   * may return, are done.
   */
  push(piece: Buffer): Promise<void> | undefined;
  /**
   * Called before each push by a source that reads into the last piece once more if its thread is ended in the middle of that push:
   * only now other threads may make whole files of what lies there. Other sources never do that.
   */
  lastPieceIsSafe?(): void;
  /** How many of the bytes to come the sink has no use for. */
  readonly skippableBytes: number;
  /** Tells the sink that this many bytes, at most {@link skippableBytes}, were jumped over. */
  skip(bytes: number): void;
  /** How many bytes before the last one pushed the sink wants again, where the input can seek; asked after each push. */
  takeRewind?(): number;
  /** The input has ended: how many of its last bytes the sink wants again, where it can seek; 0 when that is all. */
  endReached?(): number;
}

/** Where the bytes of an archive come from. */
export interface Source {
  /** Whether bytes nobody needs can be jumped over. */
  readonly seekable: boolean;
  /** What was around the archive as a whole, outermost first, as far as is known yet; missing where nothing is undone. */
  readonly wrappers?: readonly string[];
  /** Bytes of the input that were read, where they are others than those that it gives. */
  readonly inputBytes?: number | undefined;
  /** How many there are in all, where that is known. */
  readonly totalBytes?: number | undefined;
  /**
   * Bytes at any place, where the input can seek: fewer than asked for, perhaps none, at its end.
   *
   * @param archiveOffset from the first byte that {@link run} gives
   * @param room where to put them; {@link PIECE_ROOM_BYTES} serve for {@link PIECE_BYTES}. Without it in new memory
   * @throws XbstreamError `XB_IO`
   */
  bytesAt?(archiveOffset: number, bytes: number, room?: Buffer): Buffer;
  /**
   * Is told what {@link bytesAt} will be asked for, in this order, in positions in the archive, and that nothing else is wanted on the way: over a
   * network that is fetched ahead then. Replaces what it was told before.
   */
  expect?(spans: readonly Span[]): void;
  /** Is told the same by chunks, where the source knows where these end. @param archiveOffsets of their headers */
  expectChunks?(archiveOffsets: Float64Array): void;
  /** What a person calls a place in the archive, where the input is more than one file. */
  placeOf?(archiveOffset: number): string | undefined;
  /** What is missing of a stored file that has no end, where that can be told by more than its chunks. */
  lackOf?(path: string): string | undefined;
  /** What is wrong beside what the chunks tell, as far as was read; {@link run} throws it at the end. */
  flaws?(): InputFlaws;
  /**
   * Gives all bytes to `sink`, in order, and resolves at the input's end, or after {@link stop}.
   *
   * @throws XbstreamError `XB_IO` when reading fails, and what the sink throws
   */
  run(sink: ByteSink): Promise<void>;
  /** Lets {@link run} begin anew, where the input can seek. */
  rewind?(): void;
  /** Makes {@link run} give nothing more and resolve soon, also when the input is silent. */
  stop(): void;
  /** Gives back what the source itself has opened; nothing is read after that. */
  close(): void;
}

/** A sink that wants every piece, and puts them into memory of its own. */
export function takeAll(push: ByteSink['push']): ByteSink {
  const room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  return { room: () => room, push, skippableBytes: 0, skip: () => undefined };
}

/** Has a source stop when a signal says so, also where it has said so while the source was opened: it does not say it again. */
export function stopBy(signal: AbortSignal, source: Source): void {
  if (signal.aborted) source.stop();
  else signal.addEventListener('abort', () => source.stop(), { once: true });
}
