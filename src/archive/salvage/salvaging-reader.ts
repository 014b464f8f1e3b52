/**
 * A {@link ChunkReader} that goes on after damage, at the next chunk that makes sense, and tells of everything it meets.
 *
 * - A checksum that does not hold: on with the chunk behind it. If there is none, the length was wrong: to where the checksum
 *   holds, or back to right behind the failed header, and on to the next magic from there.
 * - A header that cannot be right: if mending one field of it (or of the one before, which may have told a wrong length) leads
 *   to another chunk, on with that; else to the next magic that begins a chunk with an acceptable path, within the archive.
 * - Whole lines of text: on with the chunk behind them.
 *
 * Going back needs an input that can be read by position ({@link takeRewind}); of others what is not proven is kept, up to 32 MiB.
 */
import { XbstreamError } from '../../errors.js';
import { chunkEnd, type ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import { ChunkReader, type ChunkConsumer, type PayloadUse } from '../chunk-reader.js';
import { KEPT_BYTES, RecentBytes } from './byte-view.js';
import { ChunkSearch, NOTHING, Rejected, tooFarBack, troubleAt, type Suspect, type Trouble } from './chunk-search.js';
import { Evidence, MAGIC, type HeaderGuess } from './evidence.js';
import { RereadBudget } from './reread-budget.js';
import { brokenPath, damagedHeader, seeminglyAbout, wrongLength, wrongPathLength } from './salvage-errors.js';
import { isSalvageable, type DamageConsumer, type SalvageOptions, type SalvageReading } from './salvage.js';

/** How much behind a bad header is looked at before it is judged, where it cannot be had later: a chunk as a rule. */
const WAITED_BYTES = 12 * 1024 * 1024;

export class SalvagingReader implements SalvageReading {
  chunks = 0;
  readonly #consumer: ChunkConsumer;
  readonly #damage: DamageConsumer;
  readonly #options: SalvageOptions;
  readonly #recent: RecentBytes | undefined;
  readonly #evidence: Evidence;
  readonly #budget = new RereadBudget(() => this.#inputOffset);
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
  #current: Suspect | undefined;
  /** Of the last chunk. */
  #soundPath: StoredPath | undefined;
  #isRefused = false;
  #isOver = false;
  /** The last chunk, as long as nothing has shown that its length (or that of its path) is right. */
  #suspect: Suspect | undefined;
  #search: ChunkSearch | undefined;
  /** Archive offset of the last chunk, or of its end once that is proven: nobody will go back behind it. */
  #wantedFrom = 0;

  constructor(consumer: ChunkConsumer, damage: DamageConsumer, options: SalvageOptions) {
    this.#consumer = consumer;
    this.#damage = damage;
    this.#options = options;
    this.#recent = options.view === undefined ? new RecentBytes(KEPT_BYTES) : undefined;
    const { view = this.#recent!, absoluteNames } = options;
    this.#evidence = new Evidence(view, this.#budget, { byPosition: view !== this.#recent, absoluteNames, damage });
    this.#guarded = {
      chunk: (header, spanBytes) => this.#chunk(header, spanBytes),
      mustWait: (header) => this.#search?.candidateAt === undefined && this.#consumer.mustWait?.(header) === true,
      payload: (bytes, fileOffset) => this.#pass(() => this.#consumer.payload(bytes, fileOffset)),
      chunkEnd: () => {
        this.#wantedFrom = chunkEnd(this.#current!.header);
        this.#pass(() => this.#consumer.chunkEnd());
      },
    };
    this.#reader = new ChunkReader(this.#guarded, (this.#inputOffset = this.#position = options.from ?? 0));
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
    this.#recent?.lend(piece, start);
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
    this.#recent?.keep(this.#wantedFrom);
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
    if (this.#search?.candidateAt !== undefined) {
      if (!this.#evidence.mayBeChunk(header)) throw new Rejected();
      this.#endSearch(header.archiveOffset);
    }
    // No writer makes such a path: the header is damaged, and has perhaps swallowed what follows. What is skipped names no file.
    const isNamed = header.type !== 'ignorable' && header.path !== this.#soundPath;
    if (isNamed && header.path.includes('\0')) throw brokenPath(header);
    if (header.type === 'rename' && header.newPath.includes('\0')) throw brokenPath(header);
    this.#soundPath = header.path;
    this.chunks += 1;
    const span = { header, failed: false };
    this.#current = span;
    this.#isRefused = false;
    const use = this.#guard(header.path, () => this.#consumer.chunk(header, spanBytes)) ?? this.#options.refused;
    const isJudged = (header.type === 'payload' || header.type === 'sparse') && use !== 'pass';
    this.#suspect = isJudged ? undefined : span;
    this.#wantedFrom = header.archiveOffset;
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
      this.#damage.damaged(error, path);
      return undefined;
    }
  }

  #step(bytes: Buffer): void {
    if (this.#waiting !== undefined) {
      this.#position += bytes.length;
      if (this.#position >= this.#waiting.until) this.#recoverHeader(this.#waiting.error);
      return;
    }
    if (this.#search !== undefined && this.#search.candidateAt === undefined) {
      this.#lookFor(this.#search, bytes);
      return;
    }
    try {
      this.#position += this.#reader.push(bytes);
    } catch (error) {
      if (error instanceof Rejected) this.#lookOn();
      else if (!isSalvageable(error)) throw error;
      else if (this.#search?.candidateAt !== undefined) this.#lookOn();
      else this.#recover(error);
    }
  }

  #recover(error: XbstreamError): void {
    const at = error.archiveOffset ?? this.#position;
    const current = this.#current;
    if (error.code === 'XB_BAD_CRC' && current !== undefined) {
      const end = chunkEnd(current.header);
      if (this.#goToOwnEnd(current, end) || this.#mendPath(current)) return;
      this.#damage.damaged(error, current.header.path);
      this.#suspect = { ...current, failed: true };
      this.#goOn(end);
    } else if (this.#recent !== undefined && this.#budget.has(4 * WAITED_BYTES)) {
      // To go back, and to find out how far, must be affordable then.
      this.#waiting = { error, until: at + WAITED_BYTES };
    } else this.#recoverHeader(error);
  }

  #recoverHeader(error: XbstreamError): void {
    this.#waiting = undefined;
    const at = error.archiveOffset ?? this.#position;
    const isText = this.#evidence.isText(at);
    const guess = isText ? undefined : this.#evidence.guess(at);
    if (guess?.confirmed === true) this.#mend(error, guess);
    else this.#lookBehind(seeminglyAbout(error, guess?.header), at, isText);
  }

  /** A chunk has told a wrong length: goes on where it ends by its checksum, if that shows before `limit`. */
  #goToOwnEnd({ header, failed }: Suspect, limit?: number): boolean {
    const own = this.#evidence.ownEnd(header, limit);
    if (own === undefined) return false;
    if (!failed) this.#damage.damaged(wrongLength(header, chunkEnd(header), own), header.path);
    this.#damage.doubted(header.path);
    this.#suspect = undefined;
    this.#goOn(own);
    return true;
  }

  /** No chunk stands where one says that it ends: it has told a wrong length, or its path has. */
  #mendSuspect(suspect: Suspect): boolean {
    if (this.#goToOwnEnd(suspect)) return true;
    const { header, failed } = suspect;
    const end = chunkEnd(header);
    const isBare = end === header.archiveOffset + header.headerBytes;
    // One that fits what came before is right; and what may follow it are no letters of its path.
    if (isBare && (this.#damage.entryOf(header.path)?.chunks ?? 0) > 1) return false;
    const guess = this.#evidence.guess(header.archiveOffset);
    const isMended = guess?.confirmed === true && guess.endOffset !== end;
    if (!isMended || (isBare && !this.#evidence.mayBeNamed(header, guess.header))) {
      // What is behind an end chunk may be the rest of it, and the file another.
      if (isBare && this.#evidence.mayBeLonger(header)) this.#damage.doubted(header.path);
      return false;
    }
    if (!failed) this.#damage.damaged(wrongLength(header, end, guess.endOffset), guess.header.path);
    this.#goOnAfter(guess, header);
    return true;
  }

  /** A checksum does not hold: if it does with another length of the path, that was wrong, and a chunk behind it is chance. */
  #mendPath({ header }: Suspect): boolean {
    const end = chunkEnd(header);
    const most = end - header.archiveOffset;
    const guess = this.#evidence.guess(header.archiveOffset, most);
    if (guess === undefined || guess.endOffset === end || !this.#evidence.hasChecksum(guess.header, most)) return false;
    this.#damage.damaged(wrongLength(header, end, guess.endOffset), guess.header.path);
    this.#goOnAfter(guess, header);
    return true;
  }

  /** Goes on behind a chunk with a damaged header. @param wrong what that seemed to say, if it could be read */
  #goOnAfter({ header, endOffset }: HeaderGuess, wrong?: ChunkHeader): void {
    if (wrong !== undefined) this.#damage.doubted(wrong.path);
    this.#suspect = undefined;
    this.#guard(header.path, () => this.#damage.lostChunk(header));
    this.#goOn(endOffset);
  }

  #mend(error: XbstreamError, guess: HeaderGuess): void {
    this.#damage.damaged(damagedHeader(error, guess.header), guess.header.path);
    this.#goOnAfter(guess);
  }

  /** @returns false when there is more to do, perhaps with bytes that came before */
  #tryEnd(): boolean {
    if (this.#waiting !== undefined) {
      this.#recoverHeader(this.#waiting.error);
      return false;
    }
    if (this.#search !== undefined && this.#search.candidateAt === undefined) {
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
      if (this.#search?.candidateAt !== undefined) this.#lookOn();
      else this.#cutShort(error);
      return false;
    }
  }

  /** The archive ends within a chunk; unless there are more chunks behind its header, and its length is a lie. */
  #cutShort(error: XbstreamError): void {
    const current = this.#current;
    const end = this.#inputOffset;
    if (current !== undefined && chunkEnd(current.header) > end) {
      if (this.#mendSuspect(current)) return;
      this.#lookFrom({ error, errorAt: end, path: current.header.path, suspect: current, isText: false });
    } else {
      const at = error.archiveOffset ?? end;
      const isText = this.#evidence.isText(at);
      const guess = isText ? undefined : this.#evidence.guess(at);
      // Another chunk stands behind it: its lengths are wrong.
      if (guess?.confirmed === true && guess.endOffset < end) this.#mend(wrongPathLength(at), guess);
      // Where a chunk begins, the one before has ended: that the new one is cut says nothing against it.
      else if (!isText && this.#evidence.mayBegin(at, end)) this.#lookFrom(troubleAt(error, at, false));
      else this.#lookBehind(error, at, isText);
    }
  }

  /** Goes on with the chunk that begins at a place; where that lies back too far, with the next one that can be had. */
  #goOn(archiveOffset: number): void {
    this.#current = undefined;
    this.#move(archiveOffset);
    if (this.#position > archiveOffset) this.#lookFrom(tooFarBack(archiveOffset));
    else this.#reader = new ChunkReader(this.#guarded, archiveOffset);
  }

  /** Moves to a place; if that lies back too far, or too much was read twice, only as far as possible. */
  #move(archiveOffset: number): void {
    const back = this.#position - archiveOffset;
    if (back <= 0) {
      this.#position = archiveOffset;
      return;
    }
    this.#budget.spend(back);
    if (this.#budget.isExceeded) return;
    this.#position = Math.max(archiveOffset, this.#recent?.start ?? 0);
  }

  /** Nothing makes sense at a place: the chunk before it may have led here wrongly. */
  #lookBehind(error: XbstreamError, errorAt: number, isText: boolean): void {
    const before = this.#suspect;
    // A wrong length may as well have led into the middle of text.
    const led = before !== undefined && chunkEnd(before.header) === errorAt && (!isText || before.failed);
    const suspect = led ? before : undefined;
    if (suspect !== undefined && this.#mendSuspect(suspect)) return;
    this.#lookFrom({ ...troubleAt(error, errorAt, isText), suspect });
  }

  #lookFrom(trouble: Trouble): void {
    this.#search = new ChunkSearch(trouble);
    this.#suspect = undefined;
    this.#current = undefined;
    this.#move(this.#search.start);
  }

  #lookFor(search: ChunkSearch, bytes: Buffer): void {
    const at = search.find(bytes);
    if (at === undefined) {
      this.#position += bytes.length;
      return;
    }
    search.candidateAt = this.#position + at;
    this.#position = search.candidateAt + MAGIC.length;
    this.#reader = new ChunkReader(this.#guarded, search.candidateAt);
    this.#reader.push(MAGIC);
  }

  /** That was no chunk: on behind its first byte. */
  #lookOn(): void {
    const search = this.#search!;
    const at = search.candidateAt!;
    search.candidateAt = undefined;
    this.#move(at + 1);
  }

  #endSearch(foundAt: number | undefined): void {
    const damage = this.#search!.end(foundAt, this.#inputOffset, this.#evidence);
    const { error, path, unreadableFrom, doubted } = damage;
    this.#search = undefined;
    this.#damage.damaged(error, path, unreadableFrom);
    if (doubted !== undefined) this.#damage.doubted(doubted);
  }
}
