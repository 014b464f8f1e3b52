import type { StreamChoice } from '../input/open-source.js';
import { PIECE_ROOM_BYTES, type ByteSink, type Source } from '../input/source.js';
import { HEAD_BYTES, wrapperOf } from '../wrapper/formats.js';
import { openPieces, type ArchivePieces } from './archive-pieces.js';
import type { ArchiveInput } from './input.js';

/**
 * The bytes of an archive, with undone what it is wrapped in as a whole.
 *
 * @throws XbstreamError as {@link openPieces}; while it is read also what is wrong with a wrapper
 */
export async function openArchivePieces(
  input: ArchiveInput,
  { asIs = false, key }: StreamChoice,
): Promise<ArchivePieces> {
  const pieces = await openPieces(input);
  if (asIs) return pieces;
  try {
    let head = (await pieces.next()) ?? Buffer.alloc(0);
    while (head.length < HEAD_BYTES) {
      const more = await pieces.next();
      if (more === undefined) break;
      head = Buffer.concat([head, more]);
    }
    const begun = new BegunPieces(head, pieces);
    if (wrapperOf(head) === undefined) return begun;
    const { UnwrappingSource } = await import('../wrapper/unwrapping-source.js');
    let isStopped = false;
    const source = new UnwrappingSource(new PiecesSource(begun), { isStopped: () => isStopped, key });
    return new PulledSource(source, () => {
      isStopped = true;
    });
  } catch (error) {
    pieces.close();
    throw error;
  }
}

/** Pieces of which the first has been looked at. */
class BegunPieces implements ArchivePieces {
  #head: Buffer | undefined;
  readonly #pieces: ArchivePieces;

  constructor(head: Buffer, pieces: ArchivePieces) {
    this.#head = head.length === 0 ? undefined : head;
    this.#pieces = pieces;
  }

  next(): Promise<Buffer | undefined> {
    if (this.#head === undefined) return this.#pieces.next();
    const head = this.#head;
    this.#head = undefined;
    return Promise.resolve(head);
  }

  skip(most: number): number {
    return this.#head === undefined ? this.#pieces.skip(most) : 0;
  }

  close(): void {
    this.#pieces.close();
  }
}

/** Pieces as a source that gives them. */
class PiecesSource implements Source {
  readonly seekable = false;
  readonly #pieces: ArchivePieces;
  #stopped = false;

  constructor(pieces: ArchivePieces) {
    this.#pieces = pieces;
  }

  async run(sink: ByteSink): Promise<void> {
    for (;;) {
      const piece = await this.#pieces.next();
      if (piece === undefined) return;
      for (let at = 0; at < piece.length;) {
        if (this.#stopped) return;
        const room = sink.room();
        const bytes = piece.copy(room, 0, at);
        at += bytes;
        await sink.push(room.subarray(0, bytes));
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  close(): void {
    this.#pieces.close();
  }
}

/** A source of which a piece is given when somebody asks for it. */
class PulledSource implements ArchivePieces {
  readonly #source: Source;
  readonly #tellStop: () => void;
  #running: Promise<void> | undefined;
  #given: ((piece: Buffer | undefined) => void) | undefined;
  /** Lets the source go on: the piece has been taken. */
  #taken: (() => void) | undefined;

  /** @param tellStop called before the source is stopped */
  constructor(source: Source, tellStop: () => void) {
    this.#source = source;
    this.#tellStop = tellStop;
  }

  async next(): Promise<Buffer | undefined> {
    const piece = new Promise<Buffer | undefined>((resolve) => {
      this.#given = resolve;
    });
    if (this.#running === undefined) {
      this.#running = this.#run();
      // Told to whoever asks for a piece.
      this.#running.catch(() => undefined);
    }
    this.#taken?.();
    return Promise.race([piece, this.#running.then(() => undefined)]);
  }

  async #run(): Promise<void> {
    let room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
    await this.#source.run({
      room: () => room,
      push: (bytes) => {
        // It is the reader's own from here on.
        room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
        return new Promise((resolve) => {
          this.#taken = resolve;
          this.#given?.(bytes);
        });
      },
      skippableBytes: 0,
      skip: () => undefined,
    });
  }

  skip(): number {
    return 0;
  }

  close(): void {
    this.#tellStop();
    this.#source.stop();
    this.#source.close();
    this.#taken?.();
  }
}
