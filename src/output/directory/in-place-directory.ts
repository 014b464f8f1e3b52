/** A directory whose files are replaced by what is made of them. */
import { systemError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { DirectoryOutput } from './directory-output.js';
import { OriginalFile } from './original-file.js';
import { removeStale, staleNames } from './partial-name.js';
import type { Place } from './target-directory.js';

/** Whether an existing file gives way, as {@link InPlaceDirectory} asks it. */
export interface InPlaceOptions {
  /** The directory as the user gave it. */
  root: string;
  /** A file that has the name of a new one gives way; else it must be the same, byte for byte. */
  overwrite: boolean;
  /** New files, and names, are on the disk before what they were made of is removed. */
  fsync: boolean;
}

export class InPlaceDirectory extends DirectoryOutput {
  readonly #fsync: boolean;
  /** Files that are replaced, and wait for the names of the new ones to be on the disk. */
  readonly #replaced: OriginalFile[] = [];

  /** @throws XbstreamError `XB_IO` */
  constructor({ root, overwrite, fsync }: InPlaceOptions) {
    super({
      input: undefined,
      target: root,
      createTarget: false,
      allowSymlinks: false,
      existing: overwrite ? 'overwrite' : 'keep-same-content',
      stripComponents: 0,
      ...{ fsync, owner: undefined, hash: false, threads: 1, archiveBytes: undefined },
    });
    this.#fsync = fsync;
  }

  /** Opens a file that is there. @throws XbstreamError `XB_IO`; `XB_TARGET_EXISTS` where a link leads to it */
  original(path: StoredPath): OriginalFile {
    const place = this.#placeOf(path);
    if (place !== undefined) return new OriginalFile(place, path);
    const error = Object.assign(new Error('no such directory'), { code: 'ENOENT' });
    throw systemError(`cannot open ${pathText(path)}`, error, { path });
  }

  /** Whether a file has a name: what else has it is no decoded file. */
  has(path: StoredPath): boolean {
    const place = this.#placeOf(path);
    return place?.directory.look(place.name)?.isFile() === true;
  }

  /** A file was there already, and is what would have been made: it counts as made. */
  keep(path: StoredPath): void {
    const { directory, name } = this.#placeOf(path)!;
    removeStale(directory, staleNames(directory, name));
    if (!this.#fsync) return;
    const file = this.original(path);
    try {
      file.sync();
    } finally {
      file.close();
    }
    directory.changed = true;
  }

  /**
   * Takes away what has been made into something else, soon.
   *
   * @throws XbstreamError `XB_IO`, also for others that were waiting
   */
  replace(original: OriginalFile): void {
    this.#replaced.push(original);
    if (!this.#fsync || this.#replaced.length >= SYNCED_TOGETHER) this.removeReplaced();
  }

  /** All that is replaced is gone after this. @throws XbstreamError `XB_IO` */
  removeReplaced(): void {
    if (this.#replaced.length === 0) return;
    if (this.#fsync) this.target.sync();
    for (const original of this.#replaced.splice(0)) original.remove();
  }

  #placeOf(path: StoredPath): Place | undefined {
    return this.target.place(path, false);
  }
}

/** To have a directory on the disk takes as long as a file. */
const SYNCED_TOGETHER = 128;
