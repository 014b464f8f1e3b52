import type { InputChoice } from '../input/open-source.js';
import type { CommonReporter, ProgressReport } from '../ui/reporter.js';
import type { XbstreamError } from '../errors.js';
import { withInput, type ArchiveInput } from './input.js';
import type { CommonOptions, StreamOptions } from './options.js';

/** What the work of a function gets. */
export interface Guard {
  /** Aborted by the caller, or because one of its callbacks threw. */
  signal: AbortSignal;
  /** Tells the caller. */
  reporter: CallbackReporter;
}

/** What the work of a function with an input gets. */
export interface RunTools extends Guard {
  input: InputChoice;
}

/**
 * Does the work of a function on its input.
 *
 * @throws what a callback threw, and what {@link withInput} throws
 */
export async function run<Result>(
  input: ArchiveInput,
  options: Omit<CommonOptions, 'absoluteNames'> & StreamOptions,
  work: (tools: RunTools) => Promise<Result>,
): Promise<Result> {
  return runGuarded(options, (guard) =>
    withInput(input, options, guard.signal, (choice) => work({ input: choice, ...guard })),
  );
}

/** Does the work of a function. @throws what a callback threw, and what the work throws */
export async function runGuarded<Result>(
  options: Omit<CommonOptions, 'absoluteNames'>,
  work: (guard: Guard) => Promise<Result>,
): Promise<Result> {
  // A callback that throws in the middle of an event would end the process; it ends the work instead.
  const failing = new AbortController();
  const signal = options.signal === undefined ? failing.signal : AbortSignal.any([options.signal, failing.signal]);
  const reporter = new CallbackReporter(options, (error) => failing.abort(error));
  const result = await work({ signal, reporter });
  failing.signal.throwIfAborted();
  return result;
}

/** Tells a caller by its callbacks what the commands report. */
export class CallbackReporter implements CommonReporter {
  /** What the command has told, beside what it threw. */
  readonly problems: XbstreamError[] = [];
  readonly #options: Omit<CommonOptions, 'absoluteNames'>;
  readonly #fail: (error: unknown) => void;

  /** @param fail called with what a callback throws */
  constructor(options: Omit<CommonOptions, 'absoluteNames'>, fail: (error: unknown) => void) {
    this.#options = options;
    this.#fail = fail;
  }

  /** Calls a callback. */
  tell<Word>(callback: ((word: Word) => void) | undefined, word: Word): void {
    try {
      callback?.(word);
    } catch (error) {
      this.#fail(error);
    }
  }

  warning(message: string): void {
    this.tell(this.#options.onWarning, message);
  }

  error(error: XbstreamError): void {
    this.problems.push(error);
  }

  errors(errors: readonly XbstreamError[]): void {
    this.problems.push(...errors);
  }

  progress(report: ProgressReport): void {
    this.tell(this.#options.onProgress, report);
  }

  close(): void {
    // There is no screen to tidy up.
  }
}
