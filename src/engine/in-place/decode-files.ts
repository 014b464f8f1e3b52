/** In a thread: decodes files where they lie, as long as there are some that no other thread has taken. */
import type { Outcome } from '../../outcome.js';
import type { TaskThread } from '../../threads/task-thread.js';
import { WorkBoard } from '../pipeline/work-board.js';
import type { EncodedFile } from './find-encoded.js';
import { InPlaceDecoder, type InPlaceDecoderOptions } from './in-place-decoder.js';

/** What each of the threads is told. */
export interface DecodeJob {
  options: InPlaceDecoderOptions;
  files: readonly EncodedFile[];
  /** See {@link WorkBoard}. */
  board: SharedArrayBuffer;
}

/** What a thread has done. */
export interface DecodedTotals {
  files: number;
  bytes: number;
  keptFiles: number;
  /** Bytes that were read. */
  encodedBytes: number;
}

export async function decodeFiles(
  { options, files, board }: DecodeJob,
  thread: TaskThread,
): Promise<Outcome<DecodedTotals>> {
  const work = new WorkBoard(board);
  let encodedBytes = 0;
  const decoder = new InPlaceDecoder(options, {
    isStopped: () => work.isStopped || thread.isStopped(),
    warning: (message) => thread.warning(message),
    begin: (path) => {
      thread.control.path = path;
    },
    read: (bytes) => {
      encodedBytes += bytes;
      thread.control.progressBytes = encodedBytes;
      thread.flush();
    },
    file: (path, bytes) => thread.file(path, bytes),
  });
  try {
    while (!work.isStopped && !thread.isStopped()) {
      const file = files[work.take()];
      if (file === undefined) break;
      if (!(await decoder.decode(file))) work.stop();
    }
  } finally {
    await decoder.close();
  }
  const { problems, files: count, bytes, keptFiles } = decoder;
  return {
    problems,
    stopped: problems.length === 0 && (work.isStopped || thread.isStopped()),
    summary: { files: count, bytes, keptFiles, encodedBytes },
  };
}
