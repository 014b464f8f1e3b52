import { Worker } from 'node:worker_threads';
import type { ErrorRecord } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import { LaneControl, type LaneCommand } from './protocol.js';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;
/** How long a thread that was told to stop may take, in milliseconds, until it is ended. */
const STOP_GRACE_MS = 700;

/** What the thread of a task is started with. */
export interface TaskStart<Options> {
  options: Options;
  /** Say which files are done. */
  tellFiles: boolean;
  control: SharedArrayBuffer;
}

/** What a task that makes one file of many has to say when it has ended, well or badly. */
export interface TaskResult {
  /** The worst first. */
  errors: ErrorRecord[];
  /** It was told to stop before its end. */
  stopped: boolean;
  files: number;
  /** Bytes of these files. */
  bytes: number;
  /** Bytes written. */
  outputBytes: number;
}

/** What the thread of a task says. */
export type TaskMessage =
  | { type: 'files'; paths: StoredPath[]; bytes: number[] }
  | { type: 'warning'; message: string }
  | { type: 'end'; result: TaskResult };

/** Who is told what a task does while it runs. */
export interface TaskListener {
  /** Missing where nobody wants to know. */
  file: ((path: StoredPath, bytes: number) => void) | undefined;
  /** @param bytes read so far */
  progress(bytes: number): void;
  warning(message: string): void;
}

/**
 * Runs a task in a thread of its own, so that this one stays free for signals and whatever the caller does.
 *
 * @param module the thread's module
 * @param options what it is told to do, as it expects it: plain data
 * @param decodes what decoders allocate natively is to be found dead in the nursery, not later: then it has its usual size.
 *   Without them a small one saves memory, and takes no more time
 * @param signal ends it early; the result then says `stopped`
 * @returns undefined when the thread did not stop in time and was ended
 */
export function runTask(
  module: URL,
  options: unknown,
  decodes: boolean,
  listener: TaskListener,
  signal: AbortSignal,
): Promise<TaskResult | undefined> {
  const control = new LaneControl();
  const start: TaskStart<unknown> = { options, tellFiles: listener.file !== undefined, control: control.buffer };
  // It opens and closes many descriptors; that Node keeps a list of them serves nobody.
  const worker = new Worker(module, {
    workerData: start,
    trackUnmanagedFds: false,
    resourceLimits: decodes ? {} : { maxYoungGenerationSizeMb: 1 },
  });
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const progress = setInterval(() => listener.progress(control.archiveBytes), PROGRESS_INTERVAL_MS);
    const release = (): void => {
      clearInterval(progress);
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
    };
    const done = (result: TaskResult | undefined): void => {
      release();
      resolve(result);
    };
    const stop = (): void => {
      control.stop();
      worker.postMessage('stop' satisfies LaneCommand);
      grace = setTimeout(() => {
        void worker.terminate();
        done(undefined);
      }, STOP_GRACE_MS);
    };
    worker.on('message', (message: TaskMessage) => {
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
