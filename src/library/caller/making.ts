import type { Context } from '../../context.js';
import type { InputChoice } from '../../input/open-source.js';
import type { Outcome } from '../../outcome.js';
import type { OutputChoice } from '../../output/archive-target.js';
import type { Compression } from '../../output/compression.js';
import type { MadeSummary } from '../../ui/reporter.js';
import { runFor } from './caller.js';
import { withInput, type ArchiveInput } from './input.js';
import type { Callbacks, FileOptions, StreamOptions } from './options.js';
import { checkOutput, withOutput, type ArchiveOutput } from './output.js';

/** What {@link create}, {@link writeTar} and {@link makeIndex} have done; of the latter the files of the archive. */
export interface MakeResult {
  files: number;
  /** Bytes of these files. */
  bytes: number;
  /** Bytes that were written. */
  outputBytes: number;
  elapsedSeconds: number;
}

/** What is made, and how. */
export interface Making {
  target: ArchiveOutput;
  overwrite: boolean;
  compress: Compression | 'none' | undefined;
  /** What it is made of, where that is read as one input. */
  input: ArchiveInput | undefined;
  stream: StreamOptions;
  work: (output: OutputChoice, input: InputChoice | undefined, context: Context) => Promise<Outcome<MadeSummary>>;
}

/** Has one file made. @throws what went wrong */
export async function make(making: Making, options: Callbacks & FileOptions): Promise<MakeResult> {
  const { input, stream, work } = making;
  const output = checkOutput(making.target);
  return runFor(options, (caller) =>
    withOutput(output, making, caller.signal, (choice, signal) => {
      const made = async (from?: InputChoice): Promise<MakeResult> => {
        const outcome = work(choice, from, caller.stoppedBy(signal));
        const { summary } = await caller.resultOf(outcome, from, undefined, signal);
        const { files, bytes, outputBytes, elapsedSeconds } = summary;
        return { files, bytes, outputBytes, elapsedSeconds };
      };
      return input === undefined ? made() : withInput(input, stream, signal, made);
    }),
  );
}
