import type { IndexEntry } from '../../archive/index.js';
import type { ExtentReader } from '../../archive/extents.js';
import type { XbstreamError } from '../../errors.js';
import type { StoredPath } from '../../format/stored-path.js';
import { PIECE_BYTES } from '../../input/source.js';
import type { Output } from '../../output/output.js';
import type { Decoding } from '../decoding/decoding.js';
import { PagedFile } from '../decoding/paged-file.js';
import { leaveResidue, type UnfinishedFile, type Residue } from '../residue.js';
import type { WorkBoard } from './work-board.js';
import type { WorkPlan } from './work-plan.js';

export interface PipelineOptions {
  extents: ExtentReader;
  output: Output;
  decoding: Decoding | undefined;
  board: WorkBoard;
  /** A file is begun. */
  onBegin: (path: StoredPath) => void;
  /** A file is complete. */
  onFile: (path: StoredPath, sizeBytes: number) => void;
  /** So many bytes of the archive were taken. May throw to end it. */
  onProgress: (bytes: number) => void;
}

/**
 * Takes files of a plan, one after the other, and does all that is to be done for each in this thread, in memory that it uses
 * again: reads by position, checks, decodes, writes. Several do so side by side, and share nothing but the board.
 */
export class Pipeline {
  files = 0;
  bytes = 0;
  keptFiles = 0;
  readonly #options: PipelineOptions;
  /** The file that is being made. */
  #unfinished: UnfinishedFile | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Works until there is no file left, or another pipeline has failed. @throws whatever is wrong with a file */
  async run({ files }: WorkPlan): Promise<void> {
    const { board } = this.#options;
    while (!board.isStopped) {
      const entry = files[board.take()];
      if (entry === undefined) return;
      await this.#make(entry);
    }
  }

  async #make(entry: IndexEntry): Promise<void> {
    const { output, decoding, extents, onBegin, onFile, onProgress } = this.#options;
    onBegin(entry.path);
    // Nothing but an end chunk; a file may also consist of a hole.
    const isEmpty = entry.chunks === 1;
    let file = decoding === undefined ? output.open(entry.path) : decoding.open(entry.path, output, isEmpty);
    this.#unfinished = { path: entry.path, content: file, isWritten: false };
    let taken = 0;
    const consumer = {
      take: (bytes: Buffer, fileOffset: number): void => {
        taken += bytes.length;
        if (fileOffset === 0) file = PagedFile.over(file, bytes, output.blockBytes);
        file.write(bytes, fileOffset);
      },
      settled: async (): Promise<void> => {
        await decoding?.caughtUp();
        output.endStep();
        onProgress(taken);
        taken = 0;
      },
    };
    if (entry.extents !== undefined) await extents.read(entry.extents, consumer, PIECE_BYTES);
    file.finish(entry.bytes, () => {
      this.files += 1;
      this.bytes += file.sizeBytes;
      if (file.kept) this.keptFiles += 1;
      onFile(file.path, file.sizeBytes);
    });
    this.#unfinished = undefined;
  }

  /** Leaves what is unfinished behind and says so in the errors. */
  abandon(errors: readonly XbstreamError[], removePartial: boolean): Residue {
    this.#options.output.drain();
    const unfinished = this.#unfinished === undefined ? [] : [this.#unfinished];
    return leaveResidue(unfinished, errors, this.files, removePartial);
  }
}
