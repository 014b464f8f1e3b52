import type { IndexEntry } from '../../archive/index.js';
import type { StoredPath } from '../../format/stored-path.js';
import { PIECE_BYTES } from '../../input/source.js';
import type { OutputFile } from '../../output/output.js';
import { PagedFile } from '../decoding/paged-file.js';
import { leaveUnfinished, type LeftFile, type UnfinishedFile } from '../residue.js';
import { SegmentedFile, type Workshop } from './segmented-file.js';
import type { WorkPlan } from './work-plan.js';

export interface PipelineOptions extends Workshop {
  /** Whether it is to stop, asked while it waits for others. */
  isStopped: () => boolean;
  /** A file is begun. */
  onBegin: (path: StoredPath) => void;
  /** A file is complete. */
  onFile: (path: StoredPath, sizeBytes: number) => void;
}

/**
 * Takes files of a plan, one after the other, and does all that is to be done for each in this thread, in memory that it uses
 * again: reads by position, checks, decodes, writes. Several do so side by side, and share nothing but the board; when no
 * file is left, segments of a large one.
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

  /** Works until there is nothing left to do, or another pipeline has failed. @throws whatever is wrong with a file */
  async run(plan: WorkPlan): Promise<void> {
    const { board, shared, isStopped } = this.#options;
    shared.begin();
    try {
      while (!board.isStopped) {
        const number = board.take();
        if (number >= plan.files.length) break;
        await this.#make(plan, number);
      }
    } finally {
      shared.end();
    }
    if (plan.stragglers.size === 0) return;
    const mayEnd = (): boolean => board.isStopped || isStopped();
    for (let joined = shared.join(mayEnd); joined !== undefined; joined = shared.join(mayEnd)) {
      const entry = plan.files[joined.file]!;
      try {
        await SegmentedFile.help(entry, joined, this.#options);
      } catch (error) {
        // Before whoever offers the file hears that nobody works at it any more.
        board.stop();
        throw error;
      } finally {
        joined.leave();
      }
    }
  }

  async #make(plan: WorkPlan, number: number): Promise<void> {
    const { output, decoding, onBegin } = this.#options;
    const entry = plan.files[number]!;
    onBegin(entry.path);
    const segmented = plan.stragglers.has(number) ? SegmentedFile.of(entry, this.#options) : undefined;
    if (segmented !== undefined) {
      this.#unfinished = { path: entry.path, content: segmented.file, isWritten: false };
      const bytes = await segmented.make(number);
      if (bytes === 'stopped') return;
      if (bytes !== 'again') {
        this.#finish(segmented.file, bytes);
        return;
      }
    }
    const opener = segmented === undefined ? output : { open: () => segmented.file, blockBytes: output.blockBytes };
    // Nothing but an end chunk; a file may also consist of a hole.
    const isEmpty = entry.chunks === 1;
    const file = decoding === undefined ? opener.open(entry.path) : decoding.open(entry.path, opener, isEmpty);
    this.#unfinished = { path: entry.path, content: file, isWritten: false };
    await this.#fill(entry, file);
  }

  /** Makes all of a file, in its order. */
  async #fill(entry: IndexEntry, opened: OutputFile): Promise<void> {
    const { output, decoding, extents, onProgress } = this.#options;
    let file = opened;
    let taken = 0;
    const endStep = (): void => {
      output.endStep();
      onProgress(taken);
      taken = 0;
    };
    const consumer = {
      take: (bytes: Buffer, fileOffset: number): void => {
        taken += bytes.length;
        if (fileOffset === 0) file = PagedFile.over(file, bytes, output.blockBytes);
        file.write(bytes, fileOffset);
      },
      afterPiece: (): Promise<void> | undefined => {
        if (decoding !== undefined) return decoding.caughtUp().then(endStep);
        endStep();
        return undefined;
      },
    };
    if (entry.extents !== undefined) await extents.read(entry.extents, consumer, PIECE_BYTES);
    this.#finish(file, entry.bytes);
  }

  #finish(file: OutputFile, sizeBytes: number): void {
    const { onFile } = this.#options;
    file.finish(sizeBytes, () => {
      this.files += 1;
      this.bytes += file.sizeBytes;
      if (file.kept) this.keptFiles += 1;
      onFile(file.path, file.sizeBytes);
    });
    this.#unfinished = undefined;
  }

  /** Leaves what is unfinished behind, or takes it away. @returns what is left */
  abandon(removePartial: boolean): LeftFile[] {
    this.#options.output.drain();
    return leaveUnfinished(this.#unfinished === undefined ? [] : [this.#unfinished], removePartial);
  }
}
