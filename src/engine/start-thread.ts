import { Worker } from 'node:worker_threads';
import { threadArguments } from '../thread-arguments.js';

/** Unpacks and verifies. */
export const LANE_THREAD = new URL('./lane-worker.js', import.meta.url);
/** Makes archives. */
export const CREATE_THREAD = new URL('./create-worker.js', import.meta.url);
/** Makes tars. */
export const TAR_THREAD = new URL('./tar-worker.js', import.meta.url);

let waiting: { module: URL; worker: Worker } | undefined;

/**
 * Starts a thread that will probably be needed, while this one finds out what it is needed for: until a thread is there and
 * has loaded what it works with takes some 80 ms. If it is not needed after all it ends with the program.
 */
export function startThreadEarly(module: URL, decodes: boolean): void {
  const worker = newThread(module, decodes);
  worker.unref();
  waiting = { module, worker };
}

/**
 * A thread for a task, which it is told by its first message.
 *
 * @param module the thread's module
 * @param decodes it undoes layers
 */
export function startThread(module: URL, decodes: boolean): Worker {
  if (waiting?.module.href !== module.href) return newThread(module, decodes);
  const { worker } = waiting;
  waiting = undefined;
  worker.ref();
  return worker;
}

function newThread(module: URL, decodes: boolean): Worker {
  return new Worker(module, {
    ...threadArguments(),
    // It opens and closes many descriptors; that Node keeps a list of them serves nobody.
    trackUnmanagedFds: false,
    // Little of what it makes lives for long. With a larger nursery it takes up to 18 MB more, and no less time; but what
    // decoders allocate natively is to be found dead in the nursery, not later.
    resourceLimits: decodes ? {} : { maxYoungGenerationSizeMb: 1 },
  });
}
