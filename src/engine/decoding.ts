import { setImmediate } from 'node:timers/promises';
import type { DecryptionKey } from '../codec/codec.js';
import { DecodeBudget } from '../codec/decode-budget.js';
import { JobMemory } from '../codec/job-memory.js';
import { layersOf, type LayerChoice, type StoredLayers } from '../codec/stored-layers.js';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import type { Output, OutputFile } from '../output/output.js';
import { Backlog } from './backlog.js';
import type { DecodePool } from './decode-pool.js';
import { DecodedFile } from './decoded-file.js';
import { keyRequired, TAKE_RAW } from './encrypted-files.js';
import { PendingWork } from './pending-work.js';

/** Which layers are undone while unpacking. */
export interface DecodingOptions {
  /** Which of a stored file's layers. */
  choose: (path: StoredPath) => LayerChoice;
  /** Undoes encryption; it is an error where that is chosen and there is none. */
  key: DecryptionKey | undefined;
}

export interface DecodingTools {
  /** Does decoding jobs elsewhere; without it they are done in this thread. */
  pool: DecodePool | undefined;
  /** Called once, when data is decrypted with a key that its old format cannot prove. */
  onUnprovenKey: () => void;
}

/** Jobs of zstd that are under way at a time where it alone has threads of its own. */
const JOBS_MAX = 2;

/** What jobs under way may bind, in bytes: three usual frames of zstd. A larger one goes alone. */
const JOB_BYTES_MAX = 48 * 1024 * 1024;

/** Opens files of an archive in an output so that what was done to them is undone on the way. */
export class Decoding {
  /** Files whose last frames are still being decoded. */
  readonly pending = new PendingWork();
  /** Room for a piece of the archive, not shared with the thread that writes: see {@link JobMemory}. */
  readonly room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  readonly #options: DecodingOptions;
  readonly #tools: DecodingTools;
  readonly #budget: DecodeBudget;
  readonly #memory: JobMemory;
  /** Files that were given content since {@link ready} was asked last. */
  readonly #touched = new Set<DecodedFile>();
  #warned = false;
  /** Set while somebody writes an output that keeps what comes. */
  #backlog: Backlog | undefined;

  constructor(options: DecodingOptions, tools: DecodingTools) {
    this.#options = options;
    this.#tools = tools;
    this.#memory = tools.pool?.memory ?? new JobMemory();
    this.#budget = new DecodeBudget(tools.pool?.jobsMax ?? JOBS_MAX, JOB_BYTES_MAX);
  }

  /** What is undone of a stored file. @throws XbstreamError `XB_UNSAFE_PATH` */
  layersOf(path: StoredPath): StoredLayers {
    return layersOf(path, this.#options.choose(path));
  }

  /**
   * Begins a file in `output`, under the name it has when its layers are undone.
   *
   * @param empty it has no content, and so nothing to undo
   * @throws XbstreamError what {@link Output.open} throws, `XB_UNSAFE_PATH`, `XB_KEY_REQUIRED`
   */
  open(path: StoredPath, output: Pick<Output, 'open' | 'blockBytes'>, empty: boolean): OutputFile {
    const { layers, finalName } = this.layersOf(path);
    const isDecoded = layers.length > 0 && !empty;
    if (isDecoded && layers.includes('xbcrypt') && this.#options.key === undefined) {
      throw keyRequired({ count: 1, first: path }, 'it cannot be decoded', TAKE_RAW);
    }
    const file = output.open(finalName);
    if (!isDecoded) return file;
    this.#tools.pool?.expect(layers);
    return new DecodedFile(path, file, {
      layers,
      key: this.#options.key,
      pool: this.#tools.pool,
      budget: this.#budget,
      memory: this.#memory,
      pending: this.pending,
      blockBytes: output.blockBytes,
      touched: (touched) => this.#touched.add(touched),
      gave: (bytes) => this.#backlog?.add(bytes),
      onUnprovenKey: () => {
        if (!this.#warned) this.#tools.onUnprovenKey();
        this.#warned = true;
      },
    });
  }

  /**
   * The name of a file that a correction renames. What was undone of it must be what the new name tells of.
   *
   * @throws XbstreamError `XB_UNSUPPORTED_ORDER`
   */
  renamed(oldPath: StoredPath, newPath: StoredPath): StoredPath {
    const before = this.layersOf(oldPath);
    const after = this.layersOf(newPath);
    if (before.layers.join() === after.layers.join()) return after.finalName;
    throw new XbstreamError(
      'XB_UNSUPPORTED_ORDER',
      `${pathText(oldPath)} is renamed to ${pathText(newPath)}, which would be decoded differently`,
      { path: oldPath, hints: ['unpack it without --decompress and --decrypt'] },
    );
  }

  /** What to wait for before more content is given; undefined when there is no need to. */
  ready(): Promise<void> | undefined {
    this.pending.throwFailure();
    const waits: Promise<void>[] = [];
    for (const file of this.#touched) {
      const wait = file.ready();
      if (wait !== undefined) waits.push(wait);
    }
    this.#touched.clear();
    const catchingUp = this.#backlog?.catchingUp;
    if (catchingUp !== undefined) waits.push(catchingUp);
    if (this.pending.count > MOST_FINISHING) waits.push(this.pending.until(MOST_FINISHING));
    if (waits.length === 0 && this.#tools.pool?.hasNews === true) return setImmediate();
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  /**
   * Waits for work that gives content to an output which keeps it until it is written, and has that written as it comes: a
   * few bytes may decode to gigabytes. The work waits for {@link ready}. When the writing fails, it waits for ever.
   *
   * @param write writes what has come
   * @throws what the work or the writing throws
   */
  async written<Result>(begin: () => Promise<Result>, write: () => Promise<void>): Promise<Result> {
    const backlog = new Backlog(this.#budget);
    this.#backlog = backlog;
    const work = begin()
      .then((result) => ({ result }))
      .finally(() => {
        backlog.isWritten();
        this.#backlog = undefined;
      });
    work.catch(() => undefined); // it is told below, unless the writing fails before
    for (;;) {
      const done = await Promise.race([work, backlog.full]);
      await write();
      if (done !== undefined) return done.result;
      backlog.isWritten();
    }
  }
}

/** Files that are being finished at a time. */
const MOST_FINISHING = 32;
