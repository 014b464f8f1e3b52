import { systemError, XbstreamError, type XbstreamErrorCode } from '../errors.js';
import type { Paint } from '../ui/paint.js';
import type { OutputStream } from '../ui/output-stream.js';
import type { CommonReporter, ProgressReport, StatusPrinter, Verification } from '../ui/reporter.js';
import { RunStatus } from '../ui/run-status.js';
import { bugText } from './bug-text.js';
import { EXIT_REFUSED, exitCodeFor } from './exit-codes.js';
import { Interruption } from './interruption.js';
import type { Outputs } from './outputs.js';

/** A verb that has been told everything but whom to report to and when to stop. */
export type Verb<Reporter> = (reporter: Reporter, signal: AbortSignal) => Promise<unknown>;

/** What a run of a verb needs beside it. */
export interface VerbRunTools<Reporter> {
  reporter: Reporter;
  outputs: Outputs;
  /** Where a bug is told. */
  stderr: OutputStream;
  paint: Paint;
  /** Tell bugs with their stack. */
  showStack: boolean;
  /** What the verb leaves is not what goes to stdout: that nobody reads there any more must be told. */
  leavesFiles?: boolean;
}

/**
 * Runs a verb to its end, however it ends, and tells what went wrong.
 *
 * @returns the exit code; after a signal it does not return but dies of it
 */
export async function runVerb<Reporter extends CommonReporter & StatusPrinter>(
  verb: Verb<Reporter>,
  tools: VerbRunTools<Reporter>,
): Promise<number> {
  const { reporter, outputs } = tools;
  const told = new Told();
  const status = new RunStatus();
  const tellStatus = (): void => reporter.status(status.line);
  const interruption = new Interruption({
    last: () => reporter.close(),
    status: tellStatus,
    atWork: () => status.atWork,
  });
  process.on('SIGUSR1', tellStatus);
  outputs.onFailure = (error) => interruption.abort(error);
  // What no promise of the verb's carries here would end the process with a bare stack and a moving line on the screen.
  const onUncaught = (error: unknown): void => process.exit(endIn(error, tools));
  process.on('uncaughtException', onUncaught);
  try {
    const failure = await failureOf(interruption.patiently(verb(noting(reporter, told, status), interruption.signal)));
    if (outputs.isAbandoned) await interruption.signalSoon();
    if (interruption.received !== undefined) {
      if (failure !== undefined) tellInterruption(failure.error, interruption, tools, told);
      reporter.close();
      return interruption.die(interruption.received);
    }
    if (failure !== undefined && !interruption.isReason(failure.error)) return endIn(failure.error, tools, told);
    if (failure !== undefined && outputs.failure !== undefined && tools.leavesFiles === true) {
      reporter.error(brokenOff(outputs.failure));
      reporter.close();
      return EXIT_REFUSED;
    }
    reporter.close();
    await outputs.flushed();
    // A verb may go on after an error and end well for the rest: that is no success.
    if (outputs.failure === undefined) return exitCodeFor(told.codes);
    return outputs.isAbandoned
      ? EXIT_REFUSED
      : endIn(systemError('cannot write to standard output', outputs.failure), tools);
  } finally {
    interruption.stopListening();
    process.off('SIGUSR1', tellStatus);
    status.close();
    process.off('uncaughtException', onUncaught);
  }
}

function brokenOff(error: Error): XbstreamError {
  return systemError('the work was broken off: nobody takes what goes to standard output', error, {
    hints: ['what is printed there can be left out (-q), or written to a file'],
  });
}

/** What a promise rejects with, in a box: anything can be thrown, `undefined` too. */
async function failureOf(work: Promise<unknown>): Promise<{ error: unknown } | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** What a verb has told. */
class Told {
  readonly codes = new Set<XbstreamErrorCode>();
  readonly errors = new Set<unknown>();

  add(errors: readonly XbstreamError[]): void {
    for (const error of errors) {
      this.codes.add(error.code);
      this.errors.add(error);
    }
  }
}

/** A reporter that also notes the errors it is told, the problems that a verification has found, and how far the run is. */
function noting<Reporter extends CommonReporter>(reporter: Reporter, told: Told, status: RunStatus): Reporter {
  return new Proxy(reporter, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...words: unknown[]): unknown => {
        if (name === 'error') told.add([words[0] as XbstreamError]);
        if (name === 'errors') told.add(words[0] as readonly XbstreamError[]);
        if (name === 'verified') told.add((words[0] as Verification).problems);
        if (name === 'progress') status.update(words[0] as ProgressReport);
        return Reflect.apply(value, target, words);
      };
    },
  });
}

/**
 * Tells what has ended a run, unless the verb has done so, and then whatever is told last.
 *
 * @returns the exit code for all that was told
 */
function endIn(error: unknown, tools: VerbRunTools<CommonReporter>, told = new Told()): number {
  if (!told.errors.has(error)) tellFailure(error, tools);
  tools.reporter.close();
  return error instanceof XbstreamError ? exitCodeFor([...told.codes, error.code]) : EXIT_REFUSED;
}

function tellFailure(error: unknown, { reporter, stderr, paint, showStack }: VerbRunTools<CommonReporter>): void {
  if (!(error instanceof XbstreamError)) {
    reporter.close();
    stderr.write(bugText(error, showStack, paint));
  } else if (error.systemCode !== 'EPIPE') {
    // Else the reader of what is made has gone away (`| head`): nobody is left who wants to know.
    reporter.error(error);
  }
}

/** A verb may have found something else wrong in the moment it was interrupted: both are told. */
function tellInterruption(
  error: unknown,
  interruption: Interruption,
  tools: VerbRunTools<CommonReporter>,
  told: Told,
): void {
  if (!(error instanceof XbstreamError) && interruption.isReason(error)) {
    // Whoever takes what we print has gone away before the signal came here.
    tellFailure(interruption.error, tools);
    return;
  }
  if (!told.errors.has(error)) tellFailure(error, tools);
  if (!interruption.isReason(error)) tellFailure(interruption.error, tools);
}
