/** The threads in which verbs do their work. */
import type { InputChoice } from '../../input/open-source.js';
import { inputSize } from '../../input/input-size.js';
import type { Outcome } from '../../outcome.js';
import type { OutputChoice } from '../../output/archive-target.js';
import { runTask } from '../../threads/run-task.js';
import { startThreadEarly } from '../../threads/start-thread.js';
import type { catIntoRing } from '../cat/cat-files.js';
import type { decodeFiles } from '../decode/decode-files.js';
import type { inform } from '../info.js';
import type { listArchive } from '../list.js';
import type { indexArchive } from '../make/index-archive.js';
import type { makeReport } from '../make/make-report.js';
import type { makeTar } from '../make/make-tar.js';
import type { pack } from '../make/pack.js';
import type { checkShard } from '../shards/check-shard.js';
import type { mergeShards } from '../shards/merge-shards.js';
import type { runPipeline } from '../unpack/pipeline-task.js';
import type { unpack } from '../unpack/unpack.js';
import type { Context } from '../verb.js';

/** What can be done in a thread of its own. */
interface Tasks {
  unpack: typeof unpack;
  pipeline: typeof runPipeline;
  pack: typeof pack;
  'make-tar': typeof makeTar;
  'make-index': typeof indexArchive;
  report: typeof makeReport;
  list: typeof listArchive;
  info: typeof inform;
  cat: typeof catIntoRing;
  'check-shard': typeof checkShard;
  'merge-shards': typeof mergeShards;
  decode: typeof decodeFiles;
}

export type TaskName = keyof Tasks;
/** What a task is told. */
export type TaskOptions<Name extends TaskName> = Parameters<Tasks[Name]>[0];
/** What it comes to. */
type TaskSummary<Name extends TaskName> = NonNullable<Awaited<ReturnType<Tasks[Name]>>['summary']>;

function moduleOf(task: TaskName): URL {
  const name = task === 'pipeline' ? 'unpack' : task;
  return new URL(`./${name}.js`, import.meta.url);
}

/** Starts a thread that will probably be needed. */
export function startEarly(task: TaskName): void {
  startThreadEarly(moduleOf(task));
}

/** What of a task's options others must know. */
export interface TaskNeeds {
  /** What it reads. */
  input: InputChoice | undefined;
  /** What it writes. */
  output?: OutputChoice | undefined;
}

/** Has a task done in a thread of its own. @throws what the thread did not catch */
export function inThread<Name extends TaskName>(
  task: Name,
  options: TaskOptions<Name>,
  { input, output }: TaskNeeds,
  context: Context,
): Promise<Outcome<TaskSummary<Name>>> {
  const ports = [input, output].flatMap((choice) => (choice?.kind === 'ring' ? [choice.ring.port] : []));
  const totalBytes = input === undefined ? undefined : inputSize(input);
  return runTask(moduleOf(task), options, ports, {
    signal: context.signal,
    file: context.file,
    warning: (message) => context.warning(message),
    progress: (report) => context.progress({ ...report, totalBytes: totalBytes ?? report.totalBytes }),
  });
}
