/** The threads in which verbs do their work. */
import { contextWith, type Context } from '../../context.js';
import { inputSize, type InputChoice } from '../../input/open-source.js';
import type { Outcome } from '../../outcome.js';
import type { OutputChoice } from '../../output/archive-target.js';
import { runTask, runTaskHere, startThreadEarly } from '../../threads/run-task.js';

/** The modules of this folder, in each of which a thread starts that does one kind of work. */
export type WorkName =
  | 'cat'
  | 'check-shard'
  | 'decode'
  | 'info'
  | 'list'
  | 'make-index'
  | 'make-tar'
  | 'merge-shards'
  | 'pack'
  | 'report'
  | 'unpack';

const moduleOf = (work: WorkName): URL => new URL(`./${work}.js`, import.meta.url);

/** Starts a thread that will probably be needed. */
export function startEarly(work: WorkName): void {
  startThreadEarly(moduleOf(work));
}

/** Of a smaller archive all is done before another thread has started. */
const SMALL_BYTES = 2 * 1024 * 1024;

export function isSmall(input: InputChoice): boolean {
  return (inputSize(input) ?? Infinity) < SMALL_BYTES;
}

/** What of the options of work others must know. */
export interface WorkNeeds {
  /** What it reads. */
  input?: InputChoice | undefined;
  /** What it writes. */
  output?: OutputChoice | undefined;
}

/**
 * Has work done in a thread of its own.
 *
 * @param options what the work takes
 * @throws what the thread did not catch
 */
export function inThread<Summary>(
  work: WorkName,
  options: object,
  { input, output }: WorkNeeds,
  context: Context,
): Promise<Outcome<Summary>> {
  const ports = [input, output].flatMap((choice) => (choice?.kind === 'ring' ? [choice.ring.port] : []));
  const totalBytes = input === undefined ? undefined : inputSize(input);
  const progress: Context['progress'] = (report) =>
    context.progress({ ...report, totalBytes: totalBytes ?? report.totalBytes });
  return runTask(moduleOf(work), options, ports, contextWith(context, { progress }));
}

/**
 * Has work done in this thread.
 *
 * @param options as of {@link inThread}
 * @throws what the work did not catch
 */
export function inThisThread<Summary>(work: WorkName, options: object, context: Context): Promise<Outcome<Summary>> {
  return runTaskHere(moduleOf(work), options, context);
}
