import { Worker } from 'node:worker_threads';
import { threadArguments } from './thread-arguments.js';

/** What a thread is started for. */
export interface ThreadPurpose {
  /** The thread's module. */
  module: URL;
  /** It undoes layers. */
  decodes: boolean;
}

let waiting: { purpose: ThreadPurpose; worker: Worker } | undefined;

/**
 * Starts a thread that will probably be needed, while this one finds out what it is needed for: until a thread is there and
 * has loaded what it works with takes some 80 ms. If it is not needed after all it ends with the program.
 */
export function startThreadEarly(purpose: ThreadPurpose): void {
  try {
    const worker = newThread(purpose);
    worker.unref();
    waiting = { purpose, worker };
  } catch {
    // The system allows no more threads: whoever needs this one will be told.
  }
}

/** A thread for a task, which it is told by its first message. */
export function startThread(purpose: ThreadPurpose): Worker {
  if (waiting?.purpose.module.href !== purpose.module.href) return newThread(purpose);
  const { worker } = waiting;
  waiting = undefined;
  worker.ref();
  return worker;
}

function newThread({ module, decodes }: ThreadPurpose): Worker {
  return new Worker(module, {
    ...threadArguments(),
    // It opens and closes many descriptors; that Node keeps a list of them serves nobody.
    trackUnmanagedFds: false,
    // Little of what it makes lives for long. With a larger nursery it takes up to 18 MB more, and no less time; but what
    // decoders allocate natively is to be found dead in the nursery, not later.
    resourceLimits: decodes ? {} : { maxYoungGenerationSizeMb: 1 },
  });
}
