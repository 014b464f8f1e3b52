/** What a verb is: how it is called, what it can be told, what it does, and how that is reported. */
import type { Context } from '../context.js';
import type { XbstreamError } from '../errors.js';
import type { InputChoice } from '../input/open-source.js';
import type { Outcome } from '../outcome.js';
import type { ReporterSurroundings, Shown } from '../ui/make-reporter.js';
import type { PaintOf } from '../ui/paint.js';
import type { CommonReporter, FileReport, StatusPrinter } from '../ui/reporter.js';
import { told, type OptionTable, type Told } from './options/option.js';
import type { OptionValues } from './options/option-values.js';
import type { TypedWords } from './options/raw-words.js';
import { usageError } from './options/usage-error.js';

/** A command and what it is good for, as a help text shows it. */
export interface Example {
  command: string;
  purpose: string;
}

/** A way to call the program, for those who read of it. */
export interface CallText {
  /** What is typed first. */
  call: string;
  /** Lines of usage. */
  usage: readonly string[];
  /** One line for the overview. */
  summary: string;
  /** Paragraphs for its own help. */
  description: readonly string[];
  examples: readonly Example[];
}

/** A command line, as far as it is understood. */
export interface CallWords {
  values: OptionValues;
  /** Everything that is no option, in the order given. */
  operands: readonly string[];
}

/** What the reading of a command line depends on. */
export interface CallSurroundings {
  /** As `process.argv`. */
  argv: readonly string[];
  /** Whether a descriptor is a terminal. */
  isTerminal: (fd: number) => boolean;
  env: NodeJS.ProcessEnv;
  typed: TypedWords;
}

/** What tells of a verb's run. */
export type RunReporter = CommonReporter &
  StatusPrinter &
  Partial<{ wantsFiles: boolean; file(report: FileReport): void }>;

export interface VerbDefinition<
  Table extends OptionTable,
  Options extends Shown,
  Summary,
  Reporter extends RunReporter,
> extends CallText {
  /** What it can be told by options. */
  options: Table;
  /** What excludes what, before any value is read. @throws XbstreamError `XB_USAGE` */
  check?: (values: OptionValues) => void;
  /** What a command line tells it to do. @throws XbstreamError `XB_USAGE` */
  read: (options: Told<Table>, words: CallWords, surroundings: CallSurroundings) => Options;
  /**
   * Does it.
   *
   * @throws XbstreamError any code, where it did not come to an outcome
   * @throws the signal's reason after it was aborted
   */
  run: (options: Options, context: Context) => Promise<Outcome<Summary>>;
  reporter: (options: Options, streams: ReporterSurroundings, paint: PaintOf) => Reporter;
  /** Tells what it came to. */
  tell: (outcome: Outcome<Summary>, reporter: Reporter) => void;
  /** What it leaves is not what goes to stdout: that nobody reads there any more must be told. */
  leavesFiles?: (options: Options) => boolean;
}

/** A verb that has been told what to do. */
export interface VerbCall {
  options: Shown & { input?: InputChoice };
  warnings: readonly string[];
  begin(streams: ReporterSurroundings, paint: PaintOf): VerbRun;
}

/** What a run of a verb needs beside its context. */
export interface VerbRun {
  reporter: RunReporter;
  leavesFiles: boolean;
  work(context: Context): Promise<Outcome<unknown>>;
  tell(outcome: Outcome<unknown>): void;
}

export interface Verb<
  Table extends OptionTable,
  Options extends Shown,
  Summary,
  Reporter extends RunReporter,
> extends VerbDefinition<Table, Options, Summary, Reporter> {
  /** What a command line asks of it. @throws XbstreamError `XB_USAGE`, and for keys what reading one throws */
  called(words: CallWords, surroundings: CallSurroundings): VerbCall;
  /** The same for options that have been read. */
  with(options: Options, warnings?: readonly string[]): VerbCall;
}

/** A verb, as far as those need to know who call any. */
export interface AnyVerb extends CallText {
  options: OptionTable;
  called(words: CallWords, surroundings: CallSurroundings): VerbCall;
}

export function defineVerb<Table extends OptionTable, Options extends Shown, Summary, Reporter extends RunReporter>(
  definition: VerbDefinition<Table, Options, Summary, Reporter>,
): Verb<Table, Options, Summary, Reporter> {
  const withOptions = (options: Options, warnings: readonly string[] = []): VerbCall => ({
    options,
    warnings,
    begin: (streams, paint) => {
      const reporter = definition.reporter(options, streams, paint);
      return {
        reporter,
        leavesFiles: definition.leavesFiles?.(options) ?? false,
        work: (context) => definition.run(options, context),
        tell: (outcome) => definition.tell(outcome as Outcome<Summary>, reporter),
      };
    },
  });
  return {
    ...definition,
    with: withOptions,
    called: (words, surroundings) => {
      if (words.values.has('quiet') && words.values.has('verbose')) {
        throw usageError('-q and -v exclude each other', 'leave out one of them');
      }
      definition.check?.(words.values);
      const options = told(definition.options, words.values, surroundings.env);
      return withOptions(definition.read(options, words, surroundings));
    },
  };
}

/** Tells everything that went wrong, in order. */
export function tellProblems(problems: readonly XbstreamError[], reporter: CommonReporter): void {
  if (problems.length > 0) reporter.errors(problems);
}
