import { Worker } from 'node:worker_threads';
import type { StoredPath } from '../format/stored-path.js';
import {
  LaneControl,
  type LaneCommand,
  type LaneJob,
  type LaneMessage,
  type LaneResult,
  type LaneTask,
} from './protocol.js';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;
/** How long a lane that was told to stop may take, in milliseconds, until its thread is ended. */
const STOP_GRACE_MS = 700;

/** Who is told what a lane does while it runs. */
export interface LaneListener {
  /** Missing where nobody wants to know: for many small files it takes its time. */
  file: ((path: StoredPath, bytes: number) => void) | undefined;
  progress(archiveBytes: number): void;
  warning(message: string): void;
}

/**
 * Runs a verb that reads a whole archive in a thread of its own, so that this one stays free for signals and whatever the caller does.
 *
 * @param signal ends it early; the result then says `stopped`
 * @returns undefined when the thread did not stop in time and was ended
 */
export function runLane(job: LaneJob, listener: LaneListener, signal: AbortSignal): Promise<LaneResult | undefined> {
  const control = new LaneControl();
  const task: LaneTask = { job, tellFiles: listener.file !== undefined, control: control.buffer };
  const decodes = job.options.key !== undefined || (job.verb === 'verify' ? job.options.deep : job.options.decompress);
  // The lane opens and closes many descriptors; that Node keeps a list of them serves nobody.
  const worker = new Worker(new URL('./lane-worker.js', import.meta.url), {
    workerData: task,
    transferList: job.options.input.kind === 'ring' ? [job.options.input.ring.port] : [],
    trackUnmanagedFds: false,
    // Little of what a lane makes lives for long. With a larger nursery it takes up to 18 MB more, and no less time; but what
    // decoders allocate natively is to be found dead in the nursery, not later.
    resourceLimits: decodes ? {} : { maxYoungGenerationSizeMb: 1 },
  });
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const progress = setInterval(() => listener.progress(control.archiveBytes), PROGRESS_INTERVAL_MS);
    const stop = (): void => {
      control.stop();
      worker.postMessage('stop' satisfies LaneCommand);
      grace = setTimeout(() => {
        void worker.terminate();
        done(undefined);
      }, STOP_GRACE_MS);
    };
    const release = (): void => {
      clearInterval(progress);
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
    };
    const done = (result: LaneResult | undefined): void => {
      release();
      resolve(result);
    };
    worker.on('message', (message: LaneMessage) => {
      if (message.type === 'files') {
        message.paths.forEach((path, index) => listener.file?.(path, message.bytes[index]!));
      } else if (message.type === 'warning') {
        listener.warning(message.message);
      } else {
        listener.progress(control.archiveBytes);
        done(message.result);
      }
    });
    worker.on('error', (error) => {
      release();
      reject(error);
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
