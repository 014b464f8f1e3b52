import { XbstreamError } from '../../errors.js';
import { chunkEnd, type ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import { MAGIC, type Evidence } from './evidence.js';
import { insertedBytes, withWhatIsLost, wrongLength } from './salvage-errors.js';

export const NOTHING = Buffer.alloc(0);

/** A magic was found where no chunk begins. */
export class Rejected extends Error {}

/** A chunk that is not known to be what it says. */
export interface Suspect {
  header: ChunkHeader;
  /** Its checksum has failed, and that was told. */
  failed: boolean;
}

/** What has gone wrong where a search begins. */
export interface Trouble {
  /** Told when it is clear how far the trouble goes. */
  error: XbstreamError;
  /** Where it begins. */
  errorAt: number;
  /** The file that has lost something, where that is certain. */
  path: StoredPath | undefined;
  /** The chunk whose length led here: a chunk found inside of it shows that it was wrong. */
  suspect: Suspect | undefined;
  /** Nothing but whole lines of text stand here: no chunk was lost among them. */
  isText: boolean;
}

/** Trouble of no chunk and no file in particular. */
export function troubleAt(error: XbstreamError, errorAt: number, isText: boolean): Trouble {
  return { error, errorAt, path: undefined, suspect: undefined, isText };
}

/** A chunk begins at a place to which there is no going back. */
export function tooFarBack(archiveOffset: number): Trouble {
  const what = 'too much is damaged: not everything was read again to find what is whole';
  return troubleAt(new XbstreamError('XB_BAD_HEADER', what, { archiveOffset }), archiveOffset, false);
}

/** What is to be told when it is known how far trouble goes. */
export interface Damage {
  error: XbstreamError;
  path: StoredPath | undefined;
  /** Where a part of the archive begins that cannot be read. */
  unreadableFrom: number | undefined;
  /** A chunk of this file told a wrong length. */
  doubted: StoredPath | undefined;
}

/** Looks for the next chunk that makes sense, in bytes that come in pieces. */
export class ChunkSearch {
  /** A magic was found here, and perhaps a chunk. */
  candidateAt: number | undefined;
  readonly #trouble: Trouble;
  /** The last bytes searched, fewer than a magic has. */
  #tail = NOTHING;

  constructor(trouble: Trouble) {
    this.#trouble = trouble;
  }

  /** Where to begin, in the archive. */
  get start(): number {
    const { suspect, errorAt } = this.#trouble;
    return suspect === undefined ? errorAt + 1 : suspect.header.archiveOffset + MAGIC.length;
  }

  /**
   * Searches the bytes that follow those of the last call. When a magic was found, the search begins anew.
   *
   * @returns where the magic begins in `bytes`, negative where it began before them; undefined when there is none yet
   */
  find(bytes: Buffer): number | undefined {
    const seam = Buffer.concat([this.#tail, bytes.subarray(0, MAGIC.length - 1)]);
    const inSeam = seam.indexOf(MAGIC);
    const at = inSeam === -1 ? bytes.indexOf(MAGIC) : inSeam - this.#tail.length;
    if (inSeam === -1 && at === -1) {
      this.#tail = Buffer.concat([this.#tail, bytes.subarray(1 - MAGIC.length)]).subarray(1 - MAGIC.length);
      return undefined;
    }
    this.#tail = NOTHING;
    return at;
  }

  /**
   * The search is over.
   *
   * @param foundAt where a chunk was found; undefined when there is none
   * @param endOffset where the archive ends in that case
   */
  end(foundAt: number | undefined, endOffset: number, evidence: Evidence): Damage {
    const { error, errorAt, path, suspect, isText } = this.#trouble;
    const next = foundAt ?? endOffset;
    const told = withWhatIsLost(error, errorAt, foundAt);
    if (suspect !== undefined && next < errorAt) {
      const { header, failed } = suspect;
      return {
        error: failed ? told : wrongLength(header, chunkEnd(header), next),
        path: header.path,
        unreadableFrom: header.archiveOffset,
        doubted: header.path,
      };
    }
    if (suspect !== undefined && evidence.hasInserted(suspect.header, next)) {
      const { header } = suspect;
      return { error: insertedBytes(header, next), path: header.path, unreadableFrom: undefined, doubted: undefined };
    }
    const isCut = error.code === 'XB_TRUNCATED' && foundAt === undefined;
    const unreadableFrom = isText || isCut ? undefined : errorAt;
    return { error: told, path, unreadableFrom, doubted: undefined };
  }
}
