import type { MessagePort, Worker } from 'node:worker_threads';
import type { Context } from '../context.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';
import type { Outcome } from '../outcome.js';
import { newThread } from './new-thread.js';
import { threadEnded } from './presence.js';
import { TaskControl } from './task-control.js';
import { PROBLEMS, type TaskCommand, type TaskMessage, type TaskStart } from './task-protocol.js';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;
/** How long a thread that was told to stop may take, in milliseconds, until it is told to end at once. */
const STOP_GRACE_MS = 700;

/**
 * Has a task done in a thread of its own, so that this one stays free for signals and whatever the caller does.
 *
 * @param module the thread's
 * @param options what it is told: plain data, but for `ports`
 * @returns what it came to; without a summary when it did not stop in time and was ended
 * @throws what the thread did not catch
 */
export async function runTask<Summary>(
  module: URL,
  options: unknown,
  ports: readonly MessagePort[],
  context: Context,
): Promise<Outcome<Summary>> {
  const control = new TaskControl();
  const worker = startThread(module);
  const say = (command: TaskCommand): void => worker.postMessage(command);
  const start: TaskStart<unknown> = { options, tellFiles: context.file !== undefined, control: control.buffer };
  worker.postMessage(start, ports);
  const progress = setInterval(() => context.progress(control.progress), PROGRESS_INTERVAL_MS);
  const lists = new Map<string, unknown[]>();
  let outcome: Outcome<Summary> | undefined;
  const hear = (message: TaskMessage): boolean => {
    switch (message.type) {
      case 'files':
        message.paths.forEach((path, index) => context.file?.(path, message.bytes[index]!));
        return false;
      case 'warning':
        context.warning(message.message);
        return false;
      case 'part':
        lists.set(message.list, lists.get(message.list) ?? []);
        lists.get(message.list)!.push(...message.items);
        say('next');
        return false;
      case 'end': {
        context.progress(control.progress);
        const records = (lists.get(PROBLEMS) as readonly ErrorRecord[] | undefined) ?? message.problems;
        lists.delete(PROBLEMS);
        const { summary, stopped } = message;
        outcome = {
          summary: summary === undefined ? undefined : ({ ...summary, ...Object.fromEntries(lists) } as Summary),
          problems: records.map(errorFromRecord),
          stopped,
        };
        return true;
      }
    }
  };
  const tellStop = (): void => {
    control.stop();
    say('stop');
  };
  try {
    await hearThread({ worker, hear, tellStop }, context.signal);
  } finally {
    clearInterval(progress);
  }
  return outcome ?? { summary: undefined, problems: [], stopped: true };
}

/** A thread and what it says. */
interface HeardThread {
  worker: Worker;
  /** Takes each message; returns whether it was the last one. */
  hear: (message: TaskMessage) => boolean;
  /** Tells it to stop. */
  tellStop: () => void;
}

/**
 * Hears a thread to its last message, or to its end: what it was lent (a caller's descriptor, a directory) it uses until
 * then, however long a call of the system takes that it is in.
 *
 * @param signal the thread is told to stop, and to end when it does not in time
 * @throws what the thread did not catch
 */
function hearThread({ worker, hear, tellStop }: HeardThread, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    let failure: Error | undefined;
    let isEnded = false;
    const release = (): void => {
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
    };
    const stop = (): void => {
      tellStop();
      grace = setTimeout(() => {
        isEnded = true;
        void worker.terminate();
      }, STOP_GRACE_MS);
    };
    worker.on('message', (message: TaskMessage) => {
      if (!hear(message)) return;
      release();
      resolve();
    });
    worker.on('error', (error: Error) => {
      failure = error;
    });
    // Comes behind all messages. Threads that it has started itself are gone by then, too.
    worker.on('exit', () => {
      release();
      if (failure === undefined && isEnded) resolve();
      else reject(failure ?? threadEnded('a thread has ended without saying what became of its work'));
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

let waiting: { module: URL; worker: Worker } | undefined;

/**
 * Starts a thread that will probably be needed, while this one finds out what it is needed for: until a thread is there and
 * has loaded what it works with takes some 80 ms. If it is not needed after all it ends with the program.
 */
export function startThreadEarly(module: URL): void {
  try {
    const worker = newTaskThread(module);
    worker.unref();
    waiting = { module, worker };
  } catch {
    // The system allows no more threads: whoever needs this one will be told.
  }
}

/** A thread for a task, which it is told by its first message. @param module the thread's */
function startThread(module: URL): Worker {
  if (waiting?.module.href !== module.href) return newTaskThread(module);
  const { worker } = waiting;
  waiting = undefined;
  worker.ref();
  return worker;
}

function newTaskThread(module: URL): Worker {
  return newThread(module, {
    // It opens and closes many descriptors; that Node keeps a list of them serves nobody.
    trackUnmanagedFds: false,
    // Little of what it makes lives for long. With a larger nursery it takes up to 18 MB more, and no less time.
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
}
