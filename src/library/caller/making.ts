import type { Context } from '../../context.js';
import type { InputChoice } from '../../input/open-source.js';
import type { Outcome } from '../../outcome.js';
import type { OutputChoice } from '../../output/archive-target.js';
import type { Compression } from '../../output/compression.js';
import type { MadeSummary } from '../../ui/reporter.js';
import { giveBackUnread } from '../reading/event-loop-sources.js';
import { runFor, type Caller } from './caller.js';
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
export interface MakeCall {
  target: ArchiveOutput;
  overwrite: boolean;
  compress: Compression | 'none' | undefined;
  /** What it is made of, where that is read as one input. */
  input: ArchiveInput | undefined;
  stream: StreamOptions;
  work: (output: OutputChoice, input: InputChoice | undefined, context: Context) => Promise<Outcome<MadeSummary>>;
}

/** Has one file made. @throws what went wrong */
export async function make(making: MakeCall, options: Callbacks & FileOptions): Promise<MakeResult> {
  const { input, stream, work } = making;
  const output = checkOutput(making.target);
  let unread = input;
  const made = (caller: Caller): Promise<MakeResult> =>
    withOutput(output, making, caller.signal, (choice, signal) => {
      unread = undefined;
      const from = async (choiceOfInput?: InputChoice): Promise<MakeResult> => {
        const outcome = work(choice, choiceOfInput, caller.stoppedBy(signal));
        const { summary } = await caller.resultOf(outcome, choiceOfInput, undefined, signal);
        const { files, bytes, outputBytes, elapsedSeconds } = summary;
        return { files, bytes, outputBytes, elapsedSeconds };
      };
      return input === undefined ? from() : withInput(input, stream, signal, from);
    });
  try {
    return await runFor(options, made);
  } finally {
    // An output that takes nothing: then nobody has looked at the input.
    if (unread !== undefined) giveBackUnread(unread);
  }
}
