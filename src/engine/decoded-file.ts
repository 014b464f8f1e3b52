import type { DecodeJob, DecryptionKey, JobOutput, LayerName } from '../codec/codec.js';
import type { DecodeBudget } from '../codec/decode-budget.js';
import { DecodeChain } from '../codec/decode-chain.js';
import type { JobMemory } from '../codec/job-memory.js';
import { PageHoles } from '../codec/page-holes.js';
import { runJob } from '../codec/run-job.js';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { OutputFile } from '../output/output.js';
import type { DecodePool } from './decode-pool.js';
import type { PendingWork } from './pending-work.js';
import { doPlacedJob, NotPlaced, type JobPlace, type PageRests } from './placed-job.js';

export interface DecodedFileOptions {
  layers: readonly LayerName[];
  key: DecryptionKey | undefined;
  /** Threads that help; without them all is done in this one. */
  pool: DecodePool | undefined;
  budget: DecodeBudget;
  memory: JobMemory;
  /** Takes what is left to do when the last byte has come. */
  pending: PendingWork;
  /** Size of the output's disk blocks, in bytes. */
  blockBytes: number;
  /** Called when content was given, and {@link DecodedFile.ready} may have to be waited for. */
  touched: (file: DecodedFile) => void;
  /** So many bytes went into the output. */
  gave: (bytes: number) => void;
  onUnprovenKey: () => void;
}

/** A file whose layers are undone on its way into an output. */
export class DecodedFile implements OutputFile {
  readonly #storedPath: StoredPath;
  readonly #file: OutputFile;
  readonly #options: DecodedFileOptions;
  readonly #chain: DecodeChain;
  readonly #pages: PageHoles;
  /** Bytes of the stored file so far. */
  #storedBytes = 0;
  #ended = false;
  /** What has gone wrong: from then on nothing is decoded, and the file is never finished. */
  #failure: Error | undefined;

  /** @param file takes the decoded content */
  constructor(storedPath: StoredPath, file: OutputFile, options: DecodedFileOptions) {
    this.#storedPath = storedPath;
    this.#file = file;
    this.#options = options;
    const { layers, key, pool, budget, memory } = options;
    this.#pages = new PageHoles(options.blockBytes, (fileOffset, bytes) => file.write(bytes, fileOffset));
    this.#chain = new DecodeChain({
      ...{ layers, key, budget, memory },
      run: pool?.run,
      place: pool && file.grant && ((job, fileOffset) => this.#place(pool, job, fileOffset)),
      output: (piece) => {
        this.#pages.push(piece);
        options.gave(piece.length);
      },
    });
  }

  get path(): StoredPath {
    return this.#file.path;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  get kept(): boolean {
    return this.#file.kept;
  }

  get sha256(): string | undefined {
    return this.#file.sha256;
  }

  room(bytes: number): Buffer | undefined {
    return this.#chain.room(bytes);
  }

  write(bytes: Buffer, fileOffset: number): void {
    if (this.#failure !== undefined) return;
    if (fileOffset !== this.#storedBytes) throw this.#told(this.#outOfOrder(fileOffset));
    this.#storedBytes += bytes.length;
    try {
      this.#chain.push(bytes);
    } catch (error) {
      throw this.#told(error);
    }
    this.#options.touched(this);
  }

  finish(sizeBytes: number, done: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (sizeBytes !== this.#storedBytes) throw this.#told(this.#outOfOrder(sizeBytes));
    const complete = (): void => {
      if (this.#chain.isKeyUnproven) this.#options.onUnprovenKey();
      this.#file.finish(this.#pages.fileBytes, done);
    };
    let wait: Promise<void> | undefined;
    this.#ended = true;
    try {
      wait = this.#chain.end();
    } catch (error) {
      throw this.#told(error);
    }
    if (wait === undefined) {
      complete();
      return;
    }
    this.#options.pending.add(
      wait.then(complete, (error: unknown) => {
        throw this.#told(error);
      }),
    );
  }

  /** What to wait for before more content is given; undefined when there is no need to, or no more will come. */
  ready(): Promise<void> | undefined {
    if (this.#ended) return undefined;
    try {
      return this.#chain.ready()?.catch((error: unknown) => {
        throw this.#told(error);
      });
    } catch (error) {
      throw this.#told(error);
    }
  }

  remove(): void {
    this.#file.remove();
  }

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    this.#file.rename(path, replaced);
  }

  setAside(): void {
    this.#file.setAside();
  }

  restore(): void {
    this.#file.restore();
  }

  abandon(removePartial: boolean): StoredPath | undefined {
    this.#chain.close();
    return this.#file.abandon(removePartial);
  }

  /** Has a job's output written by whoever does it, beside what others write. */
  #place(pool: DecodePool, job: DecodeJob, fileOffset: number): Promise<JobOutput> | JobOutput | undefined {
    const { layout } = this.#pages;
    // Where pages lie must be known first. The job that tells is the first one, and it is done here.
    if (layout === undefined) return fileOffset === 0 ? this.#placeNow(job) : undefined;
    let settle = (): void => undefined;
    const outputBytes = job.outputBytes!;
    const grant = this.#file.grant!(() => settle(), fileOffset + outputBytes);
    const place = { descriptor: grant.descriptor, fileOffset, outputBytes, layout };
    const placed = (rests: PageRests): JobOutput => {
      grant.release();
      return { pieces: [], isPlaced: true, onTurn: () => this.#pass(place, rests) };
    };
    const failed = (error: unknown): JobOutput => {
      grant.release();
      if (error instanceof NotPlaced) return { pieces: [], onTurn: () => this.#placeNow(job) };
      throw error;
    };
    const elsewhere = pool.place(job, place);
    if (elsewhere !== undefined) {
      settle = elsewhere.settle;
      return elsewhere.rests.then(placed, failed);
    }
    try {
      return placed(doPlacedJob(job, place));
    } catch (error) {
      return failed(error);
    }
  }

  /** It is the job's turn. */
  #placeNow(job: DecodeJob): JobOutput {
    void runJob(job, (piece) => this.#pages.push(piece));
    return { pieces: [] };
  }

  /** All pages but those at the ends are written. */
  #pass({ outputBytes }: JobPlace, { head, tail }: PageRests): void {
    this.#pages.push(Buffer.from(head.buffer, head.byteOffset, head.length));
    this.#pages.skip(outputBytes - head.length - tail.length);
    this.#pages.push(Buffer.from(tail.buffer, tail.byteOffset, tail.length));
  }

  /** Takes note of what has gone wrong. A codec knows nothing of files: the error gets the name here. */
  #told(error: unknown): Error {
    this.#failure ??= this.#named(error);
    return this.#failure;
  }

  #named(error: unknown): Error {
    if (!(error instanceof XbstreamError)) return error instanceof Error ? error : new Error(String(error));
    if (error.path !== undefined) return error;
    const { code, message, details, hints } = error;
    return new XbstreamError(code, `${pathText(this.#storedPath)}: ${message}`, {
      path: this.#storedPath,
      details,
      hints,
    });
  }

  #outOfOrder(fileOffset: number): XbstreamError {
    return new XbstreamError(
      'XB_UNSUPPORTED_ORDER',
      `${pathText(this.#storedPath)} cannot be decoded: its content does not come in order`,
      {
        path: this.#storedPath,
        details: [`expected byte ${this.#storedBytes} of the file, found byte ${fileOffset}`],
        hints: ['unpack it as it is, without --decompress and --decrypt, and decode the file afterwards'],
      },
    );
  }
}
