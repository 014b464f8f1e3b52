import type { MessagePort } from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import type { CatOptions } from '../commands/cat-options.js';
import type { InfoOptions } from '../commands/info-options.js';
import type { ListOptions } from '../commands/list-options.js';
import { threadArguments } from '../engine/thread-arguments.js';
import { errorFromRecord } from '../errors.js';
import type { RingHandle } from '../input/ring.js';
import type { CommonReporter, InfoReporter, ListedCorrection, ListedEntry, ListReporter } from '../ui/reporter.js';
import type { VerbCommand, VerbMessage, VerbTask } from './verb-protocol.js';

/** How long a thread that was told to stop may take, in milliseconds, until it is ended. */
const STOP_GRACE_MS = 700;

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

function runInThread(
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
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const stop = (): void => {
      say('stop');
      grace = setTimeout(() => {
        void worker.terminate();
        end();
      }, STOP_GRACE_MS);
    };
    const end = (error?: Error): void => {
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
      if (error !== undefined) reject(error);
      else if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    worker.on('message', (message: VerbMessage) => {
      switch (message.type) {
        case 'progress':
          reporter.progress(message.report);
          break;
        case 'warning':
          reporter.warning(message.message);
          break;
        case 'problems':
          for (const record of message.part) reporter.error(errorFromRecord(record));
          say('next');
          break;
        case 'entries':
        case 'corrections':
          told(message);
          say('next');
          break;
        case 'listed':
        case 'described':
          told(message);
          break;
        case 'end':
          end(message.error === undefined ? undefined : errorFromRecord(message.error));
          break;
      }
    });
    worker.on('error', end);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function portsOf(task: VerbTask): MessagePort[] {
  const { input } = task.options;
  return [...(input.kind === 'ring' ? [input.ring.port] : []), ...(task.verb === 'cat' ? [task.output.port] : [])];
}
