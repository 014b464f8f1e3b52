/** What reading on after damage asks of others, and after which errors it can go on. */
import { XbstreamError, type XbstreamErrorCode } from '../../errors.js';
import type { ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import type { PayloadUse } from '../chunk-reader.js';
import { ForeignInput } from '../foreign.js';
import type { ByteView } from './byte-view.js';

/** Receives what damage is found, beside the consumer of the chunks. */
export interface DamageConsumer {
  /**
   * Something is wrong, and the reading goes on.
   *
   * @param path the file that has lost something, where that is certain
   * @param unreadableFrom where in the archive a part begins that cannot be read, and may have held chunks of any file
   */
  damaged(error: XbstreamError, path: StoredPath | undefined, unreadableFrom?: number): void;
  /** A chunk cannot be used: this is what its header seems to have said. Called after {@link damaged}. */
  lostChunk(header: ChunkHeader): void;
  /** A chunk of this file told a wrong length: which bytes of it have come is not known any more. */
  doubted(path: StoredPath): void;
  /** What is known of a file so far. */
  entryOf(path: StoredPath): { readonly chunks: number; readonly whole: boolean } | undefined;
}

export interface SalvageOptions {
  /** For an input that can be read by position; without it the last bytes that came by are kept. */
  view: ByteView | undefined;
  absoluteNames: boolean;
  /** What to do with the payload of a chunk that the consumer refused. */
  refused: PayloadUse;
  /** Where in the archive the first byte pushed stands: where a chunk begins. Default: 0. */
  from?: number;
}

/** What reads an archive that is pushed in: a {@link ChunkReader}, or one that goes on after damage. */
export interface SalvageReading {
  /** Archive offset of the next byte to be pushed. */
  readonly archiveOffset: number;
  /** Bytes of the archive that have come or were jumped over, also where some are to be pushed again. */
  readonly archiveBytes: number;
  /** Chunks that have begun. */
  readonly chunks: number;
  readonly isHolding: boolean;
  readonly skippableBytes: number;
  skip(bytes: number): void;
  push(piece: Buffer): number;
  end(): void;
  /** How many bytes before the last one pushed are to be pushed again. Only for inputs that can be read by position. */
  takeRewind?(): number;
  /** No more bytes will come, unless some are to be pushed again: so many of the last. Needed only where that is possible. */
  endReached?(): number;
}

/** No matter of the archive: there is no going on after these. */
const FATAL: ReadonlySet<XbstreamErrorCode> = new Set(['XB_CHANGED', 'XB_IO', 'XB_USAGE', 'XB_NO_MATCH']);

/** Whether reading can go on after an error. */
export function isSalvageable(error: unknown): error is XbstreamError {
  return error instanceof XbstreamError && !(error instanceof ForeignInput) && !FATAL.has(error.code);
}
