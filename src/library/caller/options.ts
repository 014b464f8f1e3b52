import type { XbstreamError } from '../../errors.js';
import { given, pick, type Given, type Option, type OptionTable, type Told } from '../../verbs/options/option.js';
import type { StreamChoice } from '../../input/open-source.js';
import { checkOptions, type ProgramKind } from '../../verbs/options/program-options.js';
import { OPTIONS } from '../../verbs/options/table.js';
import type { FileReport, ProgressReport } from '../../ui/reporter.js';

/** Options of every function. Callbacks run in the caller's thread; an exception in one ends the work. */
export interface Callbacks {
  /** Ends the work within a moment; the function then fails with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called about ten times a second with how far the reading has come. */
  onProgress?: ((progress: ProgressReport) => void) | undefined;
  /** Called with each warning: what is worth knowing, and no failure. */
  onWarning?: ((message: string) => void) | undefined;
}

/** Options of a function that works on one file after the other. */
export interface FileOptions {
  /** Called with each file that is done: it has its final name, or is in the archive or tar that is made. */
  onFile?: ((file: FileReport) => void) | undefined;
}

/** Options of a function that can go on after damage. */
export interface ProblemOptions {
  /** Called with each thing that is wrong with the archive, before the function ends. */
  onProblem?: ((problem: XbstreamError) => void) | undefined;
}

/** Options of every function that reads an archive. */
export interface CommonOptions
  extends Callbacks, Given<Pick<typeof OPTIONS, 'absoluteNames' | 'decodeStream' | 'timeout'>> {}

/** Options that concern an input as such, and what an archive is wrapped in as a whole. */
export type StreamOptions = Given<Pick<typeof OPTIONS, 'decodeStream' | 'key' | 'timeout'>>;

/** Which files of an archive to take. Default: all. */
export interface SelectionOptions extends Given<Pick<typeof OPTIONS, 'include' | 'exclude' | 'tables' | 'databases'>> {}

/** How compression and encryption of files are undone. */
export interface DecodingOptions extends Given<
  Pick<typeof OPTIONS, 'key' | 'allowEncrypted' | 'decompressThreads' | 'decryptThreads'>
> {}

/** How to judge an archive that may be only the beginning of a backup, cut between two files. */
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
  /** Do not fail because of damage: return what there is, and what is wrong with it. Default: false. */
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
