import type { XbstreamError } from '../../errors.js';
import { given, pick, type Given, type Option, type OptionTable, type Told } from '../../verbs/options/option.js';
import type { StreamChoice } from '../../input/open-source.js';
import { checkOptions, type ProgramKind } from '../../verbs/options/program-options.js';
import { OPTIONS } from '../../verbs/options/table.js';
import type { FileReport, ProgressReport } from '../../ui/reporter.js';

/** What every function can be told. Callbacks are called in the caller's thread; what one throws ends the work. */
export interface Callbacks {
  /** Ends the work within a moment; the function then fails with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Told about ten times a second how far the reading has come. */
  onProgress?: ((progress: ProgressReport) => void) | undefined;
  /** Told what is worth knowing and no failure. */
  onWarning?: ((message: string) => void) | undefined;
}

/** What a function that goes from file to file can be told. */
export interface FileOptions {
  /** Told of each file that is done: it has its final name, or is in what is made. */
  onFile?: ((file: FileReport) => void) | undefined;
}

/** What a function that goes on after damage can be told. */
export interface ProblemOptions {
  /** Told each thing that is wrong with the archive, before the function ends. */
  onProblem?: ((problem: XbstreamError) => void) | undefined;
}

/** What every function can be told that reads an archive. */
export interface CommonOptions
  extends Callbacks, Given<Pick<typeof OPTIONS, 'absoluteNames' | 'decodeStream' | 'timeout'>> {}

/** Options that concern an input as such, and what an archive is wrapped in as a whole. */
export type StreamOptions = Given<Pick<typeof OPTIONS, 'decodeStream' | 'key' | 'timeout'>>;

/** Which files of an archive are meant. Default: all. */
export interface SelectionOptions extends Given<Pick<typeof OPTIONS, 'include' | 'exclude' | 'tables' | 'databases'>> {}

/** What may be undone of what xtrabackup did to files. */
export interface DecodingOptions extends Given<
  Pick<typeof OPTIONS, 'key' | 'allowEncrypted' | 'decompressThreads' | 'decryptThreads'>
> {}

/** What is to be said of the beginning of a backup, which ends where a file ends. */
export interface BackupOptions extends Given<Pick<typeof OPTIONS, 'backup'>> {}

/** What is to be done about what an archive is wrapped in as a whole. @throws XbstreamError `XB_BAD_KEY` */
export function streamOption({ decodeStream = true, key }: StreamOptions): StreamChoice {
  return { asIs: !decodeStream, key: OPTIONS.key.program.take(key) };
}

/** What programs give beside options, and what that must be. */
const CALLBACKS = {
  signal: 'signal',
  onProgress: 'function',
  onWarning: 'function',
  onFile: 'function',
  onProblem: 'function',
} as const satisfies Record<keyof (Callbacks & FileOptions & ProblemOptions), ProgramKind>;

type CallbackName = keyof typeof CALLBACKS;

/** A thing that only a program can say. */
export function programFlag(fallback: boolean): Option<boolean> {
  return { words: {}, read: () => fallback, program: { kind: 'boolean', take: (given) => given ?? fallback } };
}

/** For functions that tell what there is, and fail only afterwards. */
export const GOING_ON = {
  /** Damage is no failure: what there is comes in the result, and what is wrong with it too. Default: false. */
  keepGoing: programFlag(false),
};

/** For functions that read an archive on the caller's event loop. */
export const EVENT_LOOP_READING = pick(OPTIONS, 'decodeStream', 'key', 'timeout', 'allowEmpty');

/**
 * What a verb is told by the options of a function, checked before anything is done.
 *
 * @param callbacks the function's own, beside {@link Callbacks}
 * @throws XbstreamError `XB_USAGE`, `XB_BAD_KEY`
 */
export function toldBy<Table extends OptionTable>(
  options: object,
  table: Table,
  ...callbacks: readonly CallbackName[]
): Told<Table> {
  return toldWith(options, table, 'signal', 'onProgress', 'onWarning', ...callbacks);
}

/** The same for a function that has no other callbacks than these. */
export function toldWith<Table extends OptionTable>(
  options: object,
  table: Table,
  ...callbacks: readonly CallbackName[]
): Told<Table> {
  const kinds: Record<string, ProgramKind> = {};
  for (const name of callbacks) kinds[name] = CALLBACKS[name];
  for (const [name, option] of Object.entries(table)) {
    if ('program' in option) kinds[name] = (option as Option<unknown>).program.kind;
  }
  checkOptions(options, kinds);
  return given(table, options as Readonly<Record<string, unknown>>);
}
