/** The threads in which verbs do their work. */
import { contextWith, type Context } from '../../context.js';
import { inputSize, type InputChoice } from '../../input/open-source.js';
import type { Outcome } from '../../outcome.js';
import type { OutputChoice } from '../../output/archive-target.js';
import { runTask, runTaskHere, startThreadEarly } from '../../threads/run-task.js';
import type { Task } from '../../threads/task-thread.js';

/** A kind of work that a thread of its own does: it is told a `Job`, and comes to a `Summary`. */
export interface Work<Job, Summary> {
  /** In this folder, where the thread starts. */
  readonly module: string;
  /** Never there: by this the compiler holds who has it done against what does it. */
  readonly task?: Task<Job, Summary>;
}

export function work<Job, Summary>(module: string): Work<Job, Summary> {
  return { module };
}

/** What does it. */
export type TaskOf<Kind> = Kind extends Work<infer Job, infer Summary> ? Task<Job, Summary> : never;

const urlOf = (module: string): URL => new URL(`./${module}.js`, import.meta.url);

/** Starts a thread that will probably be needed. */
export function startEarly(module: string): void {
  startThreadEarly(urlOf(module));
}

/** Of a smaller archive all is done before another thread has started. */
const SMALL_BYTES = 2 * 1024 * 1024;

export function isSmall(input: InputChoice): boolean {
  return (inputSize(input) ?? Infinity) < SMALL_BYTES;
}

/** What of a job others must know. */
export interface WorkNeeds {
  /** What it reads. */
  input?: InputChoice | undefined;
  /** What it writes. */
  output?: OutputChoice | undefined;
}

/**
 * Has work done in a thread of its own.
 *
 * @throws what the thread did not catch
 */
export function inThread<Job, Summary>(
  { module }: Work<Job, Summary>,
  job: NoInfer<Job>,
  { input, output }: WorkNeeds,
  context: Context,
): Promise<Outcome<Summary>> {
  const ports = [input, output].flatMap((choice) => (choice?.kind === 'ring' ? [choice.ring.port] : []));
  const totalBytes = input === undefined ? undefined : inputSize(input);
  const progress: Context['progress'] = (report) =>
    context.progress({ ...report, totalBytes: totalBytes ?? report.totalBytes });
  return runTask(urlOf(module), job, ports, contextWith(context, { progress }));
}

/**
 * Has work done in this thread.
 *
 * @throws what the work did not catch
 */
export function inThisThread<Job, Summary>(
  { module }: Work<Job, Summary>,
  job: NoInfer<Job>,
  context: Context,
): Promise<Outcome<Summary>> {
  return runTaskHere(urlOf(module), job, context);
}
