/** Where archives and targets lie while they are needed: in memory (tmpfs) as long as they fit, else on disk. */
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const TMPFS = '/dev/shm';
/** Memory that is left to the programs that are measured, and to everyone else on the machine. */
const HEADROOM_BYTES = 1024 ** 3;

/** Temporary folders, all of which {@link Workspace.remove} takes away. */
export class Workspace {
  /** @type {Map<string, string>} */
  #folders = new Map();
  #disk;

  /** @param {string} [disk] a folder on the file system that is to be used instead of memory */
  constructor(disk) {
    this.#disk = disk;
  }

  get isOnDisk() {
    return this.#disk !== undefined;
  }

  /**
   * A folder with room for so many bytes.
   *
   * @param {number} bytes
   * @param {number} [reservedBytes] memory that something else will need at the same time
   */
  folderFor(bytes, reservedBytes = 0) {
    if (this.#disk !== undefined) return this.#folder(this.#disk);
    const memoryBytes = process.availableMemory() - HEADROOM_BYTES - reservedBytes;
    if (existsSync(TMPFS) && bytes <= Math.min(freeBytes(TMPFS), memoryBytes)) return this.#folder(TMPFS);
    if (bytes <= freeBytes(tmpdir())) return this.#folder(tmpdir());
    throw new Error(`no room for ${Math.ceil(bytes / 1e6)} MB, neither in ${TMPFS} nor in ${tmpdir()}`);
  }

  /** Removes all of it. */
  remove() {
    for (const folder of this.#folders.values()) rmSync(folder, { recursive: true, force: true });
    this.#folders.clear();
  }

  /** @param {string} parent */
  #folder(parent) {
    const folder = this.#folders.get(parent) ?? mkdtempSync(path.join(parent, 'tsxbstream-bench-'));
    this.#folders.set(parent, folder);
    return folder;
  }
}

/** @param {string} folder */
function freeBytes(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
