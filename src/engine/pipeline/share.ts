/** What the pipelines of one run share: which file is next, and large files that are made together. */
import { SharedFiles } from './shared-files.js';
import { WorkBoard } from './work-board.js';

/** Which of the pipelines that share the files of an archive, and what they share. */
export interface PipelineShare {
  index: number;
  /** How many there are. */
  pipelines: number;
  /** See {@link WorkBoard}. */
  board: SharedArrayBuffer;
  /** See {@link SharedFiles}. */
  shared: SharedArrayBuffer;
  /** See {@link SharingLimits}. */
  chunkBytesMin: number;
}

export function sharing(pipelines: number, chunkBytesMin: number): Omit<PipelineShare, 'index'> {
  const { buffer: board } = new WorkBoard();
  const { buffer: shared } = new SharedFiles(pipelines);
  return { pipelines, board, shared, chunkBytesMin };
}
