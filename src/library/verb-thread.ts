import type { MessagePort } from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import type { CatOptions } from '../commands/cat-options.js';
import type { InfoOptions } from '../commands/info-options.js';
import type { ListOptions } from '../commands/list-options.js';
import { hearThread } from '../engine/hear-thread.js';
import { threadArguments } from '../thread-arguments.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';
import type { RingHandle } from '../input/ring.js';
import type { CommonReporter, InfoReporter, ListedCorrection, ListedEntry, ListReporter } from '../ui/reporter.js';
import type { VerbCommand, VerbMessage, VerbTask } from './verb-protocol.js';

/** `list` of the commands, in a thread of its own. @throws what that throws */
export async function listInThread(options: ListOptions, reporter: ListReporter, signal: AbortSignal): Promise<void> {
  const entries: ListedEntry[] = [];
  const corrections: ListedCorrection[] = [];
  await runInThread({ verb: 'list', options }, reporter, signal, (message) => {
    if (message.type === 'entries') entries.push(...message.part);
    if (message.type === 'corrections') corrections.push(...message.part);
    if (message.type === 'listed') reporter.listed({ ...message.listing, entries, corrections });
  });
}

/** `info` of the commands, in a thread of its own. @throws what that throws */
export async function infoInThread(options: InfoOptions, reporter: InfoReporter, signal: AbortSignal): Promise<void> {
  await runInThread({ verb: 'info', options }, reporter, signal, (message) => {
    if (message.type === 'described') reporter.described(message.description);
  });
}

/** `cat` of the commands, in a thread of its own. @param output takes the content @throws what that throws */
export async function catInThread(
  options: CatOptions,
  output: RingHandle,
  reporter: CommonReporter,
  signal: AbortSignal,
): Promise<void> {
  await runInThread({ verb: 'cat', options, output }, reporter, signal, () => undefined);
}

async function runInThread(
  task: VerbTask,
  reporter: CommonReporter,
  signal: AbortSignal,
  told: (message: VerbMessage) => void,
): Promise<void> {
  const worker = new Worker(new URL('./verb-worker.js', import.meta.url), {
    ...threadArguments(),
    workerData: task,
    transferList: portsOf(task),
    trackUnmanagedFds: false,
  });
  const say = (command: VerbCommand): void => worker.postMessage(command);
  let failure: ErrorRecord | undefined;
  const hear = (message: VerbMessage): boolean => {
    switch (message.type) {
      case 'progress':
        reporter.progress(message.report);
        return false;
      case 'warning':
        reporter.warning(message.message);
        return false;
      case 'problems':
        for (const record of message.part) reporter.error(errorFromRecord(record));
        say('next');
        return false;
      case 'entries':
      case 'corrections':
        told(message);
        say('next');
        return false;
      case 'listed':
      case 'described':
        told(message);
        return false;
      case 'end':
        failure = message.error;
        return true;
    }
  };
  await hearThread({ worker, hear, tellStop: () => say('stop') }, signal);
  if (failure !== undefined) throw errorFromRecord(failure);
  signal.throwIfAborted();
}

function portsOf(task: VerbTask): MessagePort[] {
  const { input } = task.options;
  return [...(input.kind === 'ring' ? [input.ring.port] : []), ...(task.verb === 'cat' ? [task.output.port] : [])];
}
