/** What a verb is given beside its options: how to tell what happens, and how it is told to stop. */
import type { StoredPath } from './format/stored-path.js';
import type { ProgressReport } from './ui/reporter.js';

/** What work is done for: a person at a terminal, a program that calls the library, or the thread that started this one. */
export interface Context {
  /** Aborted when it is to stop. */
  readonly signal: AbortSignal;
  /** The same, also where nobody waits for events; as a function that can be handed on. */
  readonly isStopped: () => boolean;
  /** A file is done. Missing where nobody wants to know: for many small files it takes its time. */
  file?: ((path: StoredPath, bytes: number) => void) | undefined;
  /** Whether the thread has nothing else to do meanwhile: what takes a moment may be done in it. */
  readonly isAlone?: boolean;
  progress(report: ProgressReport): void;
  /** Something to know that is no failure. */
  warning(message: string): void;
}

/** The same but for some of it. */
export function contextWith(context: Context, changes: Partial<Context>): Context {
  const { signal, isStopped, file, isAlone } = context;
  return {
    ...{ signal, isStopped, file },
    ...(isAlone === undefined ? {} : { isAlone }),
    progress: (report) => context.progress(report),
    warning: (message) => context.warning(message),
    ...changes,
  };
}
