import { XbstreamError } from '../../errors.js';
import { CHUNK_MAGIC, chunkEnd, type ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import { areLinesOfText, endByChecksum, hasChecksum, mayBeChunk } from './evidence.js';
import { ChunkReader, type ChunkConsumer, type PayloadUse } from '../chunk-reader.js';
import { guessHeader, type HeaderGuess } from './header-guess.js';
import { RecentBytes, type Lookback } from './byte-view.js';
import { MagicFinder } from './magic-finder.js';
import { brokenPath, damagedHeader, seeminglyAbout, withWhatIsLost, wrongLength } from './salvage-errors.js';
import { isSalvageable, type SalvageConsumer, type SalvageOptions, type SalvageReading } from './salvage.js';

/** What is kept of an input that cannot be read again: the chunk at hand and a bit, as a rule (chunks have up to 10 MiB). */
const KEPT_BYTES = 16 * 1024 * 1024;
/** Bytes that may be read again beside as many as the archive has: a hostile one must not have us go back for ever. */
const REREAD_BYTES = 256 * 1024 * 1024;
/** So much of what follows a bad header is looked at before it is judged, where it cannot be had later: a chunk as a rule. */
const WAITED_BYTES = 12 * 1024 * 1024;

/** A program's messages among chunks are looked through up to here. */
const TEXT_BYTES_MAX = 1024 * 1024;

/** So far the end of a chunk is looked for that told a wrong length: chunks have up to 10 MiB, as a rule. */
const OWN_END_BYTES = 16 * 1024 * 1024;

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
  /** Nothing but whole lines of text stand here: no chunk was lost among them. */
  isText: boolean;
}

/**
 * A {@link ChunkReader} that goes on after damage, at the next chunk that makes sense, and tells of everything it meets.
 *
 * - A checksum that does not hold: on with the chunk behind it. If there is none, the length was wrong: to where the checksum
 *   holds, or back to right behind the failed header, and on to the next magic from there.
 * - A header that cannot be right: if mending one field of it (or of the one before, which may have told a wrong length) leads
 *   to another chunk, on with that; else to the next magic that begins a chunk with an acceptable path, within the archive.
 * - Whole lines of text: on with the chunk behind them.
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
  /** What that was before it went back. */
  #furthest = 0;
  /** Archive offset of the next byte to be looked at; beyond {@link #inputOffset} where bytes are passed over. */
  #position = 0;
  #rewind = 0;
  #reread = 0;
  #current: Span | undefined;
  #isRefused = false;
  #isOver = false;
  /** The last chunk, as long as nothing has shown that its length (or that of its path) is right. */
  #suspect: Span | undefined;
  #search: Search | undefined;
  #magic = new MagicFinder();
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

  get archiveBytes(): number {
    return Math.max(this.#furthest, this.#inputOffset);
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
    while (!this.#isOver) {
      this.#isOver = this.#tryEnd();
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
    this.#furthest = Math.max(this.#furthest, end);
    this.#rewind = end - this.#position;
    this.#inputOffset = this.#position;
  }

  #chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    if (this.#tentativeAt !== undefined) {
      if (!this.#mayBeChunk(header)) throw new Rejected();
      this.#endSearch(header.archiveOffset);
    }
    // No writer makes such a path: the header is damaged, and has perhaps swallowed what follows.
    if (header.path.includes('\0') || (header.type === 'rename' && header.newPath.includes('\0')))
      throw brokenPath(header);
    this.chunks += 1;
    const span = { header, end: chunkEnd(header), failed: false };
    this.#current = span;
    this.#isRefused = false;
    const use = this.#guard(header.path, () => this.#consumer.chunk(header, spanBytes)) ?? this.#options.refused;
    const isJudged = (header.type === 'payload' || header.type === 'sparse') && use !== 'pass';
    this.#suspect = isJudged ? undefined : span;
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
      this.#consumer.damaged(error, path);
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
      if (this.#goToOwnEnd(current, current.end) || this.#mendPath(current)) return;
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
    const isText = this.#isText(at);
    const guess = isText ? undefined : this.#guess(at);
    if (guess?.confirmed === true) {
      this.#mend(error, guess);
      return;
    }
    const suspect = isText ? undefined : this.#suspectBefore(at);
    if (suspect !== undefined && this.#mendSuspect(suspect)) return;
    this.#lookFrom({ error: seeminglyAbout(error, guess?.header), errorAt: at, path: undefined, suspect, isText });
  }

  /** Whether whole lines of text stand at a place, up to the next chunk or the archive's end. */
  #isText(from: number): boolean {
    const ahead = this.#lookback.bytesAt(from, TEXT_BYTES_MAX);
    const found = ahead.indexOf(MAGIC);
    const to = from + (found === -1 ? ahead.length : found);
    return (found !== -1 || this.#lookback.endsAt(to)) && areLinesOfText(from, to, this.#lookback);
  }

  #guess(archiveOffset: number, most = OWN_END_BYTES): HeaderGuess | undefined {
    const { absoluteNames } = this.#options;
    const spent = this.#spend(most);
    const guess = guessHeader(this.#lookback, archiveOffset, { absoluteNames, most: spent });
    if (guess?.confirmed !== true) this.#reread += spent;
    return guess;
  }

  /** How many of `bytes` may be read again. */
  #spend(bytes: number): number {
    return Math.max(0, Math.min(bytes, REREAD_BYTES + this.#inputOffset - this.#reread));
  }

  /** A chunk has told a wrong length: goes on where it ends by its checksum, if that shows before `limit`. */
  #goToOwnEnd({ header, end, failed }: Span, limit: number): boolean {
    const start = header.archiveOffset + header.headerBytes;
    const most = this.#spend(Math.min(limit - start, OWN_END_BYTES));
    const own = endByChecksum(header, this.#lookback, most);
    this.#reread += own === undefined ? most : own - start;
    if (own === undefined) return false;
    if (!failed) this.#consumer.damaged(wrongLength(header, end, own), header.path);
    this.#consumer.doubted(header.path);
    this.#suspect = undefined;
    this.#goOn(own);
    return true;
  }

  /** No chunk stands where one says that it ends: it has told a wrong length, or its path has. */
  #mendSuspect(suspect: Span): boolean {
    if (this.#goToOwnEnd(suspect, suspect.header.archiveOffset + OWN_END_BYTES)) return true;
    const { header, end, failed } = suspect;
    const isBare = end === header.archiveOffset + header.headerBytes;
    // One that fits what came before is right; and what may follow it are no letters of its path.
    if (isBare && (this.#consumer.entryOf(header.path)?.chunks ?? 0) > 1) return false;
    const guess = this.#guess(header.archiveOffset);
    const isMended = guess?.confirmed === true && guess.endOffset !== end;
    if (!isMended || (isBare && this.#consumer.entryOf(guess.header.path)?.whole !== false)) {
      // What is behind an end chunk may be the rest of it, and the file another.
      if (isBare) this.#consumer.doubted(header.path);
      return false;
    }
    if (!failed) this.#consumer.damaged(wrongLength(header, end, guess.endOffset), guess.header.path);
    this.#goOnAfter(header, guess);
    return true;
  }

  /** A checksum does not hold: if it does with another length of the path, that was wrong, and a chunk behind it is chance. */
  #mendPath({ header, end }: Span): boolean {
    const most = end - header.archiveOffset;
    const guess = this.#guess(header.archiveOffset, most);
    if (guess === undefined || guess.endOffset === end || !hasChecksum(guess.header, this.#lookback, most))
      return false;
    this.#consumer.damaged(wrongLength(header, end, guess.endOffset), guess.header.path);
    this.#goOnAfter(header, guess);
    return true;
  }

  /** Goes on behind a chunk that was told by the wrong header. */
  #goOnAfter(wrong: ChunkHeader, { header, endOffset }: HeaderGuess): void {
    this.#consumer.doubted(wrong.path);
    this.#suspect = undefined;
    this.#guard(header.path, () => this.#consumer.lostChunk(header));
    this.#goOn(endOffset);
  }

  #mend(error: XbstreamError, { header, endOffset }: HeaderGuess): void {
    this.#consumer.damaged(damagedHeader(error, header), header.path);
    this.#suspect = undefined;
    this.#guard(header.path, () => this.#consumer.lostChunk(header));
    this.#goOn(endOffset);
  }

  #suspectBefore(archiveOffset: number): Span | undefined {
    return this.#suspect?.end === archiveOffset ? this.#suspect : undefined;
  }

  /** @returns false when there is more to do, perhaps with bytes that came before */
  #tryEnd(): boolean {
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
      if (this.#mendSuspect(current)) return;
      this.#lookFrom({ error, errorAt: end, path: current.header.path, suspect: current, isText: false });
    } else {
      const at = error.archiveOffset ?? end;
      const isText = this.#isText(at);
      const suspect = isText ? undefined : this.#suspectBefore(at);
      if (suspect !== undefined && this.#mendSuspect(suspect)) return;
      this.#lookFrom({ error, errorAt: at, path: undefined, suspect, isText });
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
    this.#magic = new MagicFinder();
    this.#move(suspect === undefined ? errorAt + 1 : suspect.header.archiveOffset + MAGIC.length);
  }

  #lookFor(bytes: Buffer): void {
    const at = this.#magic.find(bytes);
    if (at === undefined) {
      this.#position += bytes.length;
      return;
    }
    this.#tentativeAt = this.#position + at;
    this.#position = this.#tentativeAt + MAGIC.length;
    this.#reader = new ChunkReader(this.#guarded, this.#tentativeAt);
    this.#reader.push(MAGIC);
  }

  /** That was no chunk: on behind its first byte. */
  #lookOn(): void {
    const at = this.#tentativeAt!;
    this.#tentativeAt = undefined;
    this.#move(at + 1);
  }

  #mayBeChunk(header: ChunkHeader): boolean {
    const { absoluteNames } = this.#options;
    return mayBeChunk(header, this.#lookback, { byPosition: this.#recent === undefined, absoluteNames });
  }

  #endSearch(foundAt: number | undefined): void {
    const { error, errorAt, path, suspect, isText } = this.#search!;
    this.#search = undefined;
    this.#tentativeAt = undefined;
    const next = foundAt ?? this.#inputOffset;
    if (suspect !== undefined && next < errorAt) {
      const { header, end, failed } = suspect;
      const part = { from: header.archiveOffset, to: next };
      const told = failed ? withWhatIsLost(error, errorAt, foundAt) : wrongLength(header, end, next);
      this.#consumer.damaged(told, header.path, part);
      this.#consumer.doubted(header.path);
      return;
    }
    const part = isText || error.code === 'XB_TRUNCATED' ? undefined : { from: errorAt, to: next };
    this.#consumer.damaged(withWhatIsLost(error, errorAt, foundAt), path, part);
  }
}
