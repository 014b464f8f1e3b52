/** An archive whose chunk headers come out of an index: of the archive itself only what is wanted is read. */
import { XbstreamError } from '../../errors.js';
import { chunkEnd } from '../../format/chunk.js';
import { firstIndex } from '../../format/first-index.js';
import type { Span } from '../positioned.js';
import { PIECE_BYTES, type ByteSink, type Source } from '../source.js';
import { IndexFile, type ChunkHead } from './index-file.js';
import { sha256 } from './index-maker.js';
import { KnownHeads } from './known-heads.js';
import { payloadBytesOf } from './layout.js';

/**
 * The least that is read at a time: for an archive far away a round trip costs more than bytes. But not so much that a source that reads ahead
 * would take it for the beginning of more.
 */
const WINDOW_BYTES = 48 * 1024;
/** How much is read of the end, where backups have the small files that tell of them. */
const END_BYTES = 256 * 1024;

/** A part of the archive that is kept. */
interface Window {
  archiveOffset: number;
  bytes: Buffer;
}

/**
 * The bytes of an archive, in which headers (and the maps of sparse chunks) come out of its index, and payloads that somebody
 * wants out of the archive. Every header that is read in the archive is held against the index.
 */
export class IndexedSource implements Source {
  readonly seekable = true;
  readonly #raw: Source;
  readonly #index: IndexFile;
  readonly #isStopped: () => boolean;
  readonly #heads: KnownHeads;
  readonly #start: Window;
  readonly #end: Window;
  /** What somebody has said that he will read, in the order of the archive. */
  #expected: readonly Span[] = [];
  #last: Window = { archiveOffset: 0, bytes: Buffer.alloc(0) };
  #stopped = false;

  /**
   * @param raw can be read by position; closed by {@link close}, also where this fails
   * @param path of the index
   * @throws XbstreamError `XB_BAD_INDEX` where it cannot be used, or is of another archive; `XB_IO`
   */
  constructor(raw: Source, path: string, isStopped: () => boolean) {
    this.#raw = raw;
    this.#isStopped = isStopped;
    if (!raw.seekable || raw.bytesAt === undefined) throw notByPosition();
    this.#index = IndexFile.read(path);
    this.#heads = new KnownHeads(this.#index);
    const { archiveBytes, sampleBytes, startSha256, endSha256 } = this.#index;
    const sampled = Math.min(sampleBytes, archiveBytes);
    this.#start = { archiveOffset: 0, bytes: raw.bytesAt(0, sampled) };
    // One byte more than there may be: an archive that has grown is another.
    const tailOffset = Math.max(0, archiveBytes - Math.max(END_BYTES, sampled));
    this.#end = { archiveOffset: tailOffset, bytes: raw.bytesAt(tailOffset, archiveBytes - tailOffset + 1) };
    if (this.#end.bytes.length !== archiveBytes - tailOffset) {
      throw this.#index.mismatch(`it is of an archive of ${archiveBytes} bytes, and this one does not end there`);
    }
    const isSame =
      sha256(this.#start.bytes).equals(startSha256) &&
      sha256(this.#end.bytes.subarray(this.#end.bytes.length - sampled)).equals(endSha256);
    if (!isSame) throw this.#index.mismatch('it is of an archive that begins, or ends, with other bytes');
  }

  async run(sink: ByteSink): Promise<void> {
    // Heads lie in memory of the index: nobody has a use for them in his own.
    let block: Buffer = Buffer.alloc(0);
    let given = 0;
    let known = 0;
    for (const head of this.#heads.all()) {
      if (this.#stopped || this.#isStopped()) return;
      if (head.block !== block) {
        await giveAll(sink, block.subarray(given, known));
        block = head.block;
        given = head.start;
      }
      known = head.end;
      const payloadBytes = payloadBytesOf(head.header);
      if (payloadBytes === 0) continue;
      const wait = giveAll(sink, block.subarray(given, known));
      if (wait !== undefined) await wait;
      given = known;
      if (sink.skippableBytes >= payloadBytes) sink.skip(payloadBytes);
      else await this.#givePayload(head, sink);
    }
    await giveAll(sink, block.subarray(given, known));
  }

  /** Reads a chunk from its header on, so that this is held against the index, and gives what is behind its head. */
  async #givePayload({ header, start, end: headEnd }: ChunkHead, sink: ByteSink): Promise<void> {
    const payloadOffset = header.archiveOffset + headEnd - start;
    const end = chunkEnd(header);
    this.#expect([{ start: header.archiveOffset, end }]);
    for (let at = header.archiveOffset; at < end && !this.#stopped && !this.#isStopped();) {
      const piece = this.bytesAt(at, Math.min(PIECE_BYTES, end - at), sink.room());
      if (piece.length === 0) throw this.#index.mismatch(`the archive ends at byte ${at}`);
      const payload = piece.subarray(Math.max(0, payloadOffset - at));
      at += piece.length;
      if (payload.length > 0) await give(sink, payload);
    }
  }

  expectChunks(archiveOffsets: Float64Array): void {
    this.#expect(Array.from(archiveOffsets, (start) => ({ start, end: this.#heads.chunkEnd(start) })));
  }

  /** What lies close together is read in one go. */
  #expect(spans: readonly Span[]): void {
    const joined: Span[] = [];
    for (const { start, end } of spans) {
      if (this.#has(start, end) !== undefined) continue;
      const last = joined.at(-1);
      if (last !== undefined && start >= last.start && start <= last.end + WINDOW_BYTES)
        last.end = Math.max(last.end, end);
      else joined.push({ start, end });
    }
    this.#expected = joined.toSorted((a, b) => a.start - b.start);
    this.#raw.expect?.(joined);
  }

  /** With a room: no further than the chunk goes that stands there, since nobody may want the next one. */
  bytesAt(archiveOffset: number, bytes: number, room?: Buffer): Buffer {
    const toEnd = (room === undefined ? this.#index.archiveBytes : this.#heads.chunkEnd(archiveOffset)) - archiveOffset;
    const most = Math.max(0, Math.min(bytes, toEnd));
    const found = this.#read(archiveOffset, most, room);
    const other = this.#heads.differing(found, archiveOffset);
    if (other === undefined) return found;
    throw this.#index.mismatch(`the archive has another chunk at byte ${other}`);
  }

  #read(archiveOffset: number, bytes: number, room?: Buffer): Buffer {
    const end = Math.min(archiveOffset + bytes, this.#index.archiveBytes);
    let window = this.#has(archiveOffset, end);
    if (window === undefined && bytes > WINDOW_BYTES) return this.#raw.bytesAt!(archiveOffset, bytes, room);
    window ??= this.#last = this.#window(archiveOffset);
    const at = archiveOffset - window.archiveOffset;
    const found = window.bytes.subarray(at, at + bytes);
    if (room === undefined) return Buffer.from(found);
    return room.subarray(0, found.copy(room));
  }

  /** What is kept of the archive, where that has all between two places. */
  #has(start: number, end: number): Window | undefined {
    return [this.#last, this.#start, this.#end].find(
      (window) => start >= window.archiveOffset && end <= window.archiveOffset + window.bytes.length,
    );
  }

  #window(archiveOffset: number): Window {
    const bytes = Math.min(WINDOW_BYTES, this.#expectedEnd(archiveOffset) - archiveOffset);
    return { archiveOffset, bytes: bytes > 0 ? this.#raw.bytesAt!(archiveOffset, bytes) : Buffer.alloc(0) };
  }

  /** Up to where it is of use to read from a place on. */
  #expectedEnd(archiveOffset: number): number {
    const spans = this.#expected;
    const span = spans[firstIndex(spans.length, (index) => spans[index]!.end > archiveOffset)];
    return span !== undefined && archiveOffset >= span.start ? span.end : this.#index.archiveBytes;
  }

  placeOf(archiveOffset: number): string | undefined {
    return this.#raw.placeOf?.(archiveOffset);
  }

  rewind(): void {
    // Each run begins at the first chunk.
  }

  stop(): void {
    this.#stopped = true;
    this.#raw.stop();
  }

  close(): void {
    this.#raw.close();
  }
}

/** Gives what may be longer than a piece, at once where the sink takes it at once. @throws XbstreamError as {@link give} */
function giveAll(sink: ByteSink, bytes: Buffer): Promise<void> | undefined {
  if (bytes.length === 0) return undefined;
  return bytes.length <= PIECE_BYTES ? give(sink, bytes) : givePieces(sink, bytes);
}

async function givePieces(sink: ByteSink, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) await give(sink, bytes.subarray(at, at + PIECE_BYTES));
}

/** @throws XbstreamError where the sink asks for bytes again, which it does where something is wrong with the archive */
function give(sink: ByteSink, piece: Buffer): Promise<void> | undefined {
  const wait = sink.push(piece);
  if (wait !== undefined) return wait.then(() => assertForward(sink));
  assertForward(sink);
  return undefined;
}

function assertForward(sink: ByteSink): void {
  if ((sink.takeRewind?.() ?? 0) === 0) return;
  throw new XbstreamError('XB_BAD_INDEX', 'the archive is damaged, and an index is of no use to find out how', {
    hints: ['leave out --index'],
  });
}

function notByPosition(): XbstreamError {
  return new XbstreamError('XB_BAD_INDEX', 'an index is of use only where the archive can be read by position', {
    details: ['what comes through a pipe is read as it comes'],
    hints: ['leave out --index'],
  });
}
