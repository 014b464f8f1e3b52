import type { InputChoice } from '../../input/open-source.js';
import type { Outcome } from '../../outcome.js';
import type { MadeSummary } from '../../ui/reporter.js';
import type { Caller } from './caller.js';

/** What {@link create}, {@link writeTar} and {@link makeIndex} have done; of the latter the files of the archive. */
export interface MakeResult {
  files: number;
  /** Bytes of these files. */
  bytes: number;
  /** Bytes that were written. */
  outputBytes: number;
  elapsedSeconds: number;
}

/** What a verb has made of many files. @throws what went wrong */
export async function resultOf(
  caller: Caller,
  work: Promise<Outcome<MadeSummary>>,
  input: InputChoice | undefined,
  signal: AbortSignal,
): Promise<MakeResult> {
  const { summary } = await caller.resultOf(work, input, undefined, signal);
  const { files, bytes, outputBytes, elapsedSeconds } = summary;
  return { files, bytes, outputBytes, elapsedSeconds };
}
