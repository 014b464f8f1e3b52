import { XbstreamError } from '../errors.js';
import { CHUNK_MAGIC, chunkEnd, type ChunkHeader } from '../format/chunk.js';
import { crc32 } from '../format/crc32.js';
import { normalizePath, pathText, type StoredPath } from '../format/stored-path.js';
import { ChunkReader, type ChunkConsumer, type PayloadUse } from './chunk-reader.js';
import { guessHeader, isBoundary, type HeaderGuess } from './header-guess.js';
import { RecentBytes, type Lookback } from './lookback.js';
import { isSalvageable, type SalvageConsumer, type SalvageOptions, type SalvageReading } from './salvage.js';

/** What is kept of an input that cannot be read again: the chunk at hand and a bit, as a rule (chunks have up to 10 MiB). */
const KEPT_BYTES = 16 * 1024 * 1024;
/** Bytes that may be read again beside as many as the archive has: a hostile one must not have us go back for ever. */
const REREAD_BYTES = 256 * 1024 * 1024;
/** So much of what follows a bad header is looked at before it is judged, where it cannot be had later: a chunk as a rule. */
const WAITED_BYTES = 12 * 1024 * 1024;
const CHECKED_BYTES = 1024 * 1024;

const MAGIC = Buffer.from(CHUNK_MAGIC, 'latin1');
const NOTHING = Buffer.alloc(0);

/** A magic was found where no chunk begins. */
class Rejected extends Error {}

interface Span {
  header: ChunkHeader;
  /** Where it ends, in the archive, as it says. */
  end: number;
  /** Its checksum has failed, and that was told. */
  failed: boolean;
}

/** Looking for the next chunk that makes sense. */
interface Search {
  /** Told when it is clear how far the trouble goes. */
  error: XbstreamError;
  /** Where the trouble begins. */
  errorAt: number;
  /** The file that has lost something, where that is certain. */
  path: StoredPath | undefined;
  /** The chunk whose length led here: a chunk found inside of it shows that it was wrong. */
  suspect: Span | undefined;
}

/**
 * A {@link ChunkReader} that goes on after damage, at the next chunk that makes sense, and tells of everything it meets.
 *
 * - A checksum that does not hold: on with the chunk behind it. If there is none, the length was wrong: back to right behind
 *   the failed header, and on to the next magic from there.
 * - A header that cannot be right: if mending one field of it leads to another chunk, on with that; else to the next magic
 *   that begins a chunk with an acceptable path, within the archive.
 *
 * Going back needs an input that can be read by position ({@link takeRewind}); of others the last 16 MiB are kept.
 */
export class SalvagingReader implements SalvageReading {
  chunks = 0;
  readonly #consumer: SalvageConsumer;
  readonly #options: SalvageOptions;
  readonly #recent: RecentBytes | undefined;
  readonly #lookback: Lookback;
  readonly #guarded: ChunkConsumer;
  /** A header that cannot be right waits until what follows it has come. */
  #waiting: { error: XbstreamError; until: number } | undefined;
  #reader: ChunkReader;
  /** Archive offset of the next byte that the caller gives. */
  #inputOffset = 0;
  /** Archive offset of the next byte to be looked at; beyond {@link #inputOffset} where bytes are passed over. */
  #position = 0;
  #rewind = 0;
  #reread = 0;
  #current: Span | undefined;
  #isRefused = false;
  /** The last chunk, as long as nothing has shown that its length is right. */
  #suspect: Span | undefined;
  #search: Search | undefined;
  /** The last bytes searched, fewer than a magic has. */
  #tail: Buffer = NOTHING;
  /** A magic was found here, and perhaps a chunk. */
  #tentativeAt: number | undefined;

  constructor(consumer: SalvageConsumer, options: SalvageOptions) {
    this.#consumer = consumer;
    this.#options = options;
    this.#recent = options.lookback === undefined ? new RecentBytes(KEPT_BYTES) : undefined;
    this.#lookback = options.lookback ?? this.#recent!;
    this.#guarded = {
      chunk: (header, spanBytes) => this.#chunk(header, spanBytes),
      mustWait: (header) => this.#tentativeAt === undefined && this.#consumer.mustWait?.(header) === true,
      payload: (bytes, fileOffset) => this.#pass(() => this.#consumer.payload(bytes, fileOffset)),
      chunkEnd: () => this.#pass(() => this.#consumer.chunkEnd()),
    };
    this.#reader = new ChunkReader(this.#guarded);
  }

  get archiveOffset(): number {
    return this.#inputOffset;
  }

  get isHolding(): boolean {
    return this.#reader.isHolding;
  }

  get skippableBytes(): number {
    if (this.#search !== undefined || this.#waiting !== undefined || this.isHolding) return 0;
    return Math.max(0, this.#position - this.#inputOffset) + this.#reader.skippableBytes;
  }

  skip(bytes: number): void {
    const ahead = Math.min(bytes, Math.max(0, this.#position - this.#inputOffset));
    this.#inputOffset += bytes;
    if (bytes === ahead) return;
    this.#reader.skip(bytes - ahead);
    this.#position += bytes - ahead;
  }

  takeRewind(): number {
    const bytes = this.#rewind;
    this.#rewind = 0;
    return bytes;
  }

  /** @throws XbstreamError only what is no matter of the archive */
  push(piece: Buffer): number {
    const start = this.#inputOffset;
    const end = start + piece.length;
    this.#recent?.append(piece, start);
    if (this.isHolding) this.#step(NOTHING);
    while (this.#position < end && !this.isHolding) {
      if (this.#position >= start) {
        this.#step(piece.subarray(this.#position - start));
      } else if (this.#recent === undefined) {
        this.#askAgain(end);
        return piece.length;
      } else {
        this.#step(this.#recent.bytesAt(this.#position, start - this.#position));
      }
    }
    const taken = this.isHolding ? Math.max(0, this.#position - start) : piece.length;
    this.#inputOffset = start + taken;
    return taken;
  }

  endReached(): number {
    while (!this.#isOver()) {
      if (this.#position < this.#inputOffset && this.#recent === undefined) {
        this.#askAgain(this.#inputOffset);
        return this.takeRewind();
      }
      while (this.#position < this.#inputOffset) {
        this.#step(this.#recent!.bytesAt(this.#position, this.#inputOffset - this.#position));
      }
    }
    return 0;
  }

  end(): void {
    if (this.#recent !== undefined) this.#recent.isOver = true;
    this.endReached();
  }

  #askAgain(end: number): void {
    this.#rewind = end - this.#position;
    this.#inputOffset = this.#position;
  }

  #chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    if (this.#tentativeAt !== undefined) {
      if (!this.#makesSense(header)) throw new Rejected();
      this.#endSearch(header.archiveOffset);
    }
    this.chunks += 1;
    const span = { header, end: chunkEnd(header), failed: false };
    this.#current = span;
    this.#isRefused = false;
    const use = this.#guard(header.path, () => this.#consumer.chunk(header, spanBytes)) ?? this.#options.refused;
    const isUnjudged = use === 'pass' || header.type === 'ignorable';
    this.#suspect = isUnjudged && span.end > header.archiveOffset + header.headerBytes ? span : undefined;
    return use;
  }

  #pass(work: () => void): void {
    if (!this.#isRefused) this.#guard(this.#current!.header.path, work);
  }

  /** What the consumer refuses costs a file, not the archive. */
  #guard<Result>(path: StoredPath, work: () => Result): Result | undefined {
    try {
      return work();
    } catch (error) {
      if (!isSalvageable(error)) throw error;
      this.#isRefused = true;
      this.#consumer.damaged(error, error.path ?? path);
      return undefined;
    }
  }

  #step(bytes: Buffer): void {
    if (this.#waiting !== undefined) {
      this.#position += bytes.length;
      if (this.#position >= this.#waiting.until) this.#waitNoMore();
      return;
    }
    if (this.#search !== undefined && this.#tentativeAt === undefined) {
      this.#lookFor(bytes);
      return;
    }
    try {
      this.#position += this.#reader.push(bytes);
    } catch (error) {
      if (error instanceof Rejected) this.#lookOn();
      else if (!isSalvageable(error)) throw error;
      else if (this.#tentativeAt !== undefined) this.#lookOn();
      else this.#recover(error);
    }
  }

  #waitNoMore(): void {
    const { error } = this.#waiting!;
    this.#waiting = undefined;
    this.#recoverHeader(error);
  }

  #recover(error: XbstreamError): void {
    const at = error.archiveOffset ?? this.#position;
    const current = this.#current;
    if (error.code === 'XB_BAD_CRC' && current !== undefined) {
      this.#consumer.damaged(error, current.header.path);
      this.#suspect = { ...current, failed: true };
      this.#goOn(current.end);
      return;
    }
    if (this.#recent === undefined) this.#recoverHeader(error);
    else this.#waiting = { error, until: at + WAITED_BYTES };
  }

  #recoverHeader(error: XbstreamError): void {
    const at = error.archiveOffset ?? this.#position;
    const guess = guessHeader(this.#lookback, at, this.#options.absoluteNames);
    if (guess?.confirmed === true) {
      this.#mend(error, guess);
      return;
    }
    this.#lookFrom({ error: seemingly(error, guess), errorAt: at, path: undefined, suspect: this.#suspectBefore(at) });
  }

  #mend(error: XbstreamError, { header, endOffset }: HeaderGuess): void {
    const told = new XbstreamError(error.code, `a damaged chunk header in ${pathText(header.path)}: ${error.message}`, {
      path: header.path,
      archiveOffset: error.archiveOffset,
      details: [...error.details, `by what can be read of it, the chunk belongs to ${pathText(header.path)}`],
      hints: error.hints,
    });
    this.#consumer.damaged(told, header.path);
    this.#suspect = undefined;
    this.#guard(header.path, () => this.#consumer.lostChunk(header));
    this.#goOn(endOffset);
  }

  #suspectBefore(archiveOffset: number): Span | undefined {
    return this.#suspect?.end === archiveOffset ? this.#suspect : undefined;
  }

  /** @returns false when there is more to do, perhaps with bytes that came before */
  #isOver(): boolean {
    if (this.#waiting !== undefined) {
      this.#waitNoMore();
      return false;
    }
    if (this.#search !== undefined && this.#tentativeAt === undefined) {
      this.#endSearch(undefined);
      return true;
    }
    try {
      this.#reader.end();
      return true;
    } catch (error) {
      if (error instanceof Rejected) {
        this.#lookOn();
        return false;
      }
      if (!isSalvageable(error)) throw error;
      if (this.#tentativeAt !== undefined) this.#lookOn();
      else this.#cutShort(error);
      return false;
    }
  }

  /** The archive ends within a chunk; unless there are more chunks behind its header, and its length is a lie. */
  #cutShort(error: XbstreamError): void {
    const current = this.#current;
    const end = this.#inputOffset;
    if (current !== undefined && current.end > end) {
      this.#lookFrom({ error, errorAt: end, path: current.header.path, suspect: current });
    } else {
      const at = error.archiveOffset ?? end;
      this.#lookFrom({ error, errorAt: at, path: undefined, suspect: this.#suspectBefore(at) });
    }
  }

  /** Goes on with the chunk that begins at a place. */
  #goOn(archiveOffset: number): void {
    this.#current = undefined;
    this.#reader = new ChunkReader(this.#guarded, archiveOffset);
    this.#move(archiveOffset);
  }

  /** Moves to a place; if that lies back too far, or too much was read twice, only as far as possible. */
  #move(archiveOffset: number): void {
    const back = this.#position - archiveOffset;
    if (back <= 0) {
      this.#position = archiveOffset;
      return;
    }
    this.#reread += back;
    if (this.#reread > REREAD_BYTES + this.#inputOffset) return;
    this.#position = Math.max(archiveOffset, this.#recent?.start ?? 0);
  }

  #lookFrom(search: Search): void {
    const { suspect, errorAt } = search;
    this.#search = search;
    this.#suspect = undefined;
    this.#current = undefined;
    this.#tail = NOTHING;
    this.#move(suspect === undefined ? errorAt + 1 : suspect.header.archiveOffset + MAGIC.length);
  }

  #lookFor(bytes: Buffer): void {
    const seam = Buffer.concat([this.#tail, bytes.subarray(0, MAGIC.length - 1)]);
    const inSeam = seam.indexOf(MAGIC);
    const at = inSeam === -1 ? bytes.indexOf(MAGIC) : inSeam - this.#tail.length;
    if (at === -1 && inSeam === -1) {
      this.#tail = Buffer.concat([this.#tail, bytes.subarray(1 - MAGIC.length)]).subarray(1 - MAGIC.length);
      this.#position += bytes.length;
      return;
    }
    this.#tail = NOTHING;
    this.#tentativeAt = this.#position + at;
    this.#position = this.#tentativeAt + MAGIC.length;
    this.#reader = new ChunkReader(this.#guarded, this.#tentativeAt);
    this.#reader.push(MAGIC);
  }

  /** That was no chunk: on behind its first byte. */
  #lookOn(): void {
    const at = this.#tentativeAt!;
    this.#tentativeAt = undefined;
    this.#tail = NOTHING;
    this.#move(at + 1);
  }

  /** Whether a chunk that was found by its magic may be one of the archive's. */
  #makesSense(header: ChunkHeader): boolean {
    try {
      normalizePath(header.path, header.archiveOffset, this.#options.absoluteNames);
    } catch {
      return false;
    }
    const end = chunkEnd(header);
    const isFollowed = isBoundary(this.#lookback, end);
    if (isFollowed === true) return true;
    switch (header.type) {
      case 'payload':
      case 'sparse':
        // What follows may be damaged, too. But within the archive it must be, where that can be told.
        return this.#recent !== undefined || this.#lookback.bytesAt(end - 1, 1).length === 1;
      case 'end':
        return isFollowed === undefined && this.#recent !== undefined;
      case 'seek':
      case 'remove':
      case 'rename':
      case 'ignorable':
        return false;
    }
  }

  /** Whether a chunk's checksum holds if it ends here, and not where it says. */
  #isWhole({ header }: Span, end: number): boolean {
    if (header.type !== 'payload' && header.type !== 'sparse') return false;
    let sum = 0;
    for (let at = header.archiveOffset + header.headerBytes; at < end;) {
      if (end - at > KEPT_BYTES) return false;
      const bytes = this.#lookback.bytesAt(at, Math.min(end - at, CHECKED_BYTES));
      if (bytes.length === 0) return false;
      sum = crc32(bytes, sum);
      at += bytes.length;
    }
    return sum === header.crc32;
  }

  #endSearch(foundAt: number | undefined): void {
    const { error, errorAt, path, suspect } = this.#search!;
    this.#search = undefined;
    this.#tentativeAt = undefined;
    const next = foundAt ?? this.#inputOffset;
    if (suspect !== undefined && next !== errorAt && (next < errorAt || this.#isWhole(suspect, next))) {
      if (!suspect.failed) this.#consumer.damaged(wrongLength(suspect, next), suspect.header.path);
      this.#consumer.doubted(suspect.header.path);
      return;
    }
    const lost =
      foundAt === undefined
        ? `nothing can be read from archive byte ${errorAt} to its end`
        : `the next chunk that makes sense is at archive byte ${foundAt}`;
    this.#consumer.damaged(error.code === 'XB_TRUNCATED' ? error : error.with({ details: [lost] }), path);
  }
}

/** Names the file that a damaged header seems to be about; that is not sure enough to call it the one that lost something. */
function seemingly(error: XbstreamError, guess: HeaderGuess | undefined): XbstreamError {
  if (guess === undefined || error.path !== undefined) return error;
  const { path } = guess.header;
  return error.with({ path, details: [`by what can be read of it, the chunk belongs to ${pathText(path)}`] });
}

function wrongLength({ header, end }: Span, foundAt: number): XbstreamError {
  return new XbstreamError('XB_BAD_HEADER', `a chunk of ${pathText(header.path)} says a wrong length`, {
    path: header.path,
    archiveOffset: header.archiveOffset,
    details: [
      `chunk at archive byte ${header.archiveOffset}; by its length it ends at byte ${end}`,
      `no chunk follows there, but one begins at byte ${foundAt}, inside of it`,
    ],
  });
}
