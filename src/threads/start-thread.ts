import type { Worker } from 'node:worker_threads';
import { newThread } from './new-thread.js';

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
export function startThread(module: URL): Worker {
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
