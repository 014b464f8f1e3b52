/** Runs a task in a thread of its own, for whoever waits for its outcome. */
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import type { Context } from '../context.js';
import type { Outcome } from '../outcome.js';
import { loadThreadModule, newThread } from './new-thread.js';
import { threadEnded } from './presence.js';
import type { TaskMessage } from './task-protocol.js';
import type { TaskModule } from './task-thread.js';
import { ToldTask } from './told-task.js';

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
  const worker = startThread(module);
  const told = new ToldTask<Summary>(context, (command) => worker.postMessage(command));
  try {
    tellOrEnd(worker, told.start(options), ports);
    await hearThread(worker, told, context.signal);
  } finally {
    told.close();
  }
  return told.outcome ?? { summary: undefined, problems: [], stopped: true };
}

/** A thread that waits for its task without end would keep the program alive. */
function tellOrEnd(worker: Worker, task: unknown, ports: readonly MessagePort[]): void {
  try {
    worker.postMessage(task, ports);
  } catch (error) {
    void worker.terminate();
    throw error;
  }
}

/**
 * Has a task done in this thread, which has nothing else to do meanwhile but to hear signals: until another has started takes
 * longer than many a task. What both say goes the same way.
 *
 * @param module as of {@link runTask}
 * @throws what the task did not catch
 */
export async function runTaskHere<Summary>(module: URL, options: unknown, context: Context): Promise<Outcome<Summary>> {
  const { serve } = await loadThreadModule<TaskModule>(module);
  const { port1: here, port2: there } = new MessageChannel();
  const told = new ToldTask<Summary>(context, (command) => here.postMessage(command));
  const stop = (): void => told.stop();
  try {
    await new Promise<void>((resolve, reject) => {
      here.on('message', (message: TaskMessage) => {
        if (told.hear(message)) resolve();
      });
      context.signal.addEventListener('abort', stop, { once: true });
      if (context.signal.aborted) stop();
      here.postMessage(told.start(options, true));
      serve(there).catch(reject);
    });
  } finally {
    context.signal.removeEventListener('abort', stop);
    here.close();
    told.close();
  }
  return told.outcome!;
}

/**
 * Hears a thread to its last message, or to its end: what it was lent (a caller's descriptor, a directory) it uses until
 * then, however long a call of the system takes that it is in.
 *
 * @param signal the thread is told to stop, and to end when it does not in time
 * @throws what the thread did not catch
 */
function hearThread(worker: Worker, told: ToldTask<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    let failure: Error | undefined;
    let isEnded = false;
    const release = (): void => {
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
    };
    const stop = (): void => {
      told.stop();
      grace = setTimeout(() => {
        isEnded = true;
        void worker.terminate();
      }, STOP_GRACE_MS);
    };
    worker.on('message', (message: TaskMessage) => {
      if (!told.hear(message)) return;
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

/** The number of a thread that has ended. */
const ENDED = -1;

let waiting: { module: URL; worker: Worker } | undefined;

/**
 * Starts a thread that will probably be needed, while this one finds out what it is needed for: until a thread is there and
 * has loaded what it works with takes some 80 ms. If it is not needed after all it ends with the program.
 */
export function startThreadEarly(module: URL): void {
  try {
    const worker = newTaskThread(module);
    // Whoever needs a thread finds it ended, and hears of another one why.
    worker.on('error', () => undefined);
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
  // It may have ended already, which it says only once: nobody would hear of it.
  if (worker.threadId === ENDED) return newTaskThread(module);
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
