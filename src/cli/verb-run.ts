/** Runs a verb: shows its progress, hears signals, tells its outcome. */
import type { Context } from '../context.js';
import { systemError, XbstreamError } from '../errors.js';
import type { InputChoice } from '../input/open-source.js';
import type { Outcome } from '../outcome.js';
import type { OutputStream, Paint } from '../ui/paint.js';
import { RunStatus } from '../ui/run-status.js';
import { outcomeOf } from '../verbs/outcome-of.js';
import type { RunReporter, VerbRun } from '../verbs/verb.js';
import { bugText } from './bug-text.js';
import { EXIT_REFUSED, EXIT_USAGE, exitCodeFor } from './exit-codes.js';
import { Interruption } from './interruption.js';
import type { Outputs } from './outputs.js';

/** What a run of a verb needs beside it. */
export interface RunTools {
  /** What it reads. */
  input: InputChoice | undefined;
  outputs: Outputs;
  /** Where a bug is told. */
  stderr: OutputStream;
  paint: Paint;
  /** Tell bugs with their stack. */
  showStack: boolean;
}

/** What a run has ended with. */
type Ending = { outcome: Outcome<unknown> } | { failure: unknown };

/**
 * Runs a verb to its end, however it ends, and tells what it came to.
 *
 * @returns the exit code; after a signal it does not return but dies of it
 */
export async function runVerb(run: VerbRun, tools: RunTools): Promise<number> {
  const { reporter } = run;
  const { outputs } = tools;
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
  const onUncaught = (error: unknown): void => {
    tellFailure(error, reporter, tools);
    reporter.close();
    process.exit(EXIT_REFUSED);
  };
  process.on('uncaughtException', onUncaught);
  try {
    const { signal } = interruption;
    const work = outcomeOf(run.work(contextFor(reporter, status, signal)), tools.input, signal);
    const ending = await endingOf(interruption.patiently(work));
    if (outputs.isAbandoned) await interruption.signalSoon();
    return await tellEnding(ending, run, tools, interruption);
  } finally {
    interruption.stopListening();
    process.off('SIGUSR1', tellStatus);
    status.close();
    process.off('uncaughtException', onUncaught);
  }
}

function contextFor(reporter: RunReporter, status: RunStatus, signal: AbortSignal): Context {
  return {
    signal,
    isStopped: () => signal.aborted,
    isAlone: true,
    file: reporter.wantsFiles === true ? (path, bytes) => reporter.file?.({ path, bytes }) : undefined,
    warning: (message) => reporter.warning(message),
    progress: (report) => {
      status.update(report);
      reporter.progress(report);
    },
  };
}

/** What a promise rejects with, in a box: anything can be thrown, `undefined` too. */
async function endingOf(work: Promise<Outcome<unknown>>): Promise<Ending> {
  try {
    return { outcome: await work };
  } catch (failure) {
    return { failure };
  }
}

/** @returns the exit code; after a signal it does not return */
async function tellEnding(ending: Ending, run: VerbRun, tools: RunTools, interruption: Interruption): Promise<number> {
  const { reporter, leavesFiles } = run;
  const { outputs } = tools;
  const problems = 'outcome' in ending ? ending.outcome.problems : [];
  const isStopped = 'outcome' in ending ? ending.outcome.stopped : interruption.isReason(ending.failure);
  if ('outcome' in ending) run.tell(ending.outcome);
  else if (!isStopped) tellFailure(ending.failure, reporter, tools);
  if (interruption.received !== undefined) {
    // It may have been done in the moment that the signal came. The reason of one that did not stop in time says more.
    const isSaid = 'failure' in ending && isStopped && ending.failure instanceof XbstreamError;
    const isDone = 'outcome' in ending && !isStopped && problems.length === 0;
    if (!isDone) reporter.error(isSaid ? (ending.failure as XbstreamError) : interruption.error);
    reporter.close();
    return interruption.die(interruption.received);
  }
  if (isStopped && outputs.failure !== undefined && leavesFiles) reporter.error(brokenOff(outputs.failure));
  reporter.close();
  if ('failure' in ending && !isStopped) return EXIT_REFUSED;
  const exitCode = exitCodeFor(problems.map(({ code }) => code));
  // Nothing that may have become of the output counts for more.
  if (exitCode === EXIT_REFUSED || exitCode === EXIT_USAGE) return exitCode;
  await outputs.flushed();
  // A reader that stops has seen what it wanted, and a verdict stays what it is.
  if (outputs.failure === undefined || (outputs.isAbandoned && problems.length > 0)) return exitCode;
  if (!outputs.isAbandoned) reporter.error(systemError('cannot write to standard output', outputs.failure));
  reporter.close();
  return EXIT_REFUSED;
}

function brokenOff(error: Error): XbstreamError {
  return systemError('the work was broken off: nobody takes what goes to standard output', error, {
    hints: ['what is printed there can be left out (-q), or written to a file'],
  });
}

function tellFailure(error: unknown, reporter: RunReporter, { stderr, paint, showStack }: RunTools): void {
  if (error instanceof XbstreamError) {
    reporter.error(error);
    return;
  }
  reporter.close();
  stderr.write(bugText(error, showStack, paint));
}
