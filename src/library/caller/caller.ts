import { contextWith, type Context } from '../../context.js';
import { isSalvageable } from '../../archive/salvage/salvage.js';
import type { XbstreamError } from '../../errors.js';
import type { InputChoice } from '../../input/open-source.js';
import type { Outcome } from '../../outcome.js';
import { outcomeOf } from '../../verbs/outcome-of.js';
import { allForPrograms, hintForPrograms } from './hints.js';
import { withInput, type ArchiveInput } from './input.js';
import type { Callbacks, FileOptions, ProblemOptions, StreamOptions } from './options.js';

/** The caller of a function, for whom verbs do its work. */
export class Caller implements Context {
  /** Aborted by the caller, or because one of its callbacks threw. */
  readonly signal: AbortSignal;
  readonly file: Context['file'];
  readonly #options: Callbacks & FileOptions & ProblemOptions;
  readonly #failing: AbortController;

  /** @param failing aborted with what a callback throws */
  constructor(options: Callbacks & FileOptions & ProblemOptions, failing: AbortController) {
    this.#options = options;
    this.#failing = failing;
    this.signal = options.signal === undefined ? failing.signal : AbortSignal.any([options.signal, failing.signal]);
    const { onFile } = options;
    this.file = onFile === undefined ? undefined : (path, bytes) => this.#tell(onFile, { path, bytes });
  }

  readonly isStopped = (): boolean => this.signal.aborted;

  warning(message: string): void {
    this.#tell(this.#options.onWarning, hintForPrograms(message));
  }

  progress(report: Parameters<Context['progress']>[0]): void {
    this.#tell(this.#options.onProgress, report);
  }

  /** The same, to be stopped by another signal, too. */
  stoppedBy(signal: AbortSignal): Context {
    return contextWith(this, { signal, isStopped: () => signal.aborted });
  }

  /**
   * Has a verb do its work.
   *
   * @param isFailure whether a problem is one: others are in what comes back
   * @returns what it has done or found, and what is wrong with the archive
   * @throws XbstreamError the first problem that is a failure
   * @throws the signal's reason after it was aborted
   */
  async resultOf<Summary>(
    work: Promise<Outcome<Summary>>,
    input: InputChoice | undefined,
    isFailure: (problem: XbstreamError) => boolean = () => true,
    signal = this.signal,
  ): Promise<{ summary: Summary; problems: readonly XbstreamError[] }> {
    const outcome = await outcomeOf(work, input, signal);
    const { summary, stopped } = outcome;
    const problems = allForPrograms(outcome.problems);
    for (const problem of problems) this.#tell(this.#options.onProblem, problem);
    const refusal = outcome.problems.findIndex(isFailure);
    if (refusal !== -1) throw problems[refusal]!;
    if (stopped) signal.throwIfAborted();
    if (summary === undefined) throw problems[0] ?? new Error('a verb ended without a result');
    return { summary, problems };
  }

  #tell<Word>(callback: ((word: Word) => void) | undefined, word: Word): void {
    try {
      callback?.(word);
    } catch (error) {
      this.#failing.abort(error);
    }
  }
}

/** What is a failure to a function. @param keepGoing damage is none */
export function failures(keepGoing: boolean): (problem: XbstreamError) => boolean {
  return keepGoing ? (problem) => !isSalvageable(problem) : () => true;
}

/** Does the work of a function. @throws what a callback threw, and what the work throws */
export async function runFor<Result>(
  options: Callbacks & FileOptions & ProblemOptions,
  work: (caller: Caller) => Promise<Result>,
): Promise<Result> {
  // A callback that throws in the middle of an event would end the process; it ends the work instead.
  const failing = new AbortController();
  const result = await work(new Caller(options, failing));
  failing.signal.throwIfAborted();
  return result;
}

/** The same on an input. @throws what {@link withInput} throws */
export function runOn<Result>(
  input: ArchiveInput,
  options: Callbacks & FileOptions & ProblemOptions & StreamOptions,
  work: (choice: InputChoice, caller: Caller) => Promise<Result>,
): Promise<Result> {
  return runFor(options, (caller) => withInput(input, options, caller.signal, (choice) => work(choice, caller)));
}
