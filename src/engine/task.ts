import type { MessagePort } from 'node:worker_threads';
import type { StoredPath } from '../format/stored-path.js';
import { startThread } from './start-thread.js';
import { TaskControl, type TaskCommand, type TaskMessage, type TaskStart } from './task-protocol.js';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;
/** How long a thread that was told to stop may take, in milliseconds, until it is ended. */
const STOP_GRACE_MS = 700;

/** Who is told what a task does while it runs. */
export interface TaskListener {
  /** Missing where nobody wants to know: for many small files it takes its time. */
  file: ((path: StoredPath, bytes: number) => void) | undefined;
  /** @param bytes taken so far */
  progress(bytes: number): void;
  warning(message: string): void;
}

/** What is to be done in a thread. */
export interface Task<Options> {
  /** The thread's module. */
  module: URL;
  /** What it is told to do, as it expects it: plain data, but for the ports. */
  options: Options;
  /** Ports in the options. */
  ports: readonly MessagePort[];
  /** It decodes. */
  decodes: boolean;
}

/**
 * Runs a task in a thread of its own, so that this one stays free for signals and whatever the caller does.
 *
 * @param signal ends it early; the result then says so
 * @returns undefined when the thread did not stop in time and was ended
 */
export function runTask<Options, Result>(
  { module, options, ports, decodes }: Task<Options>,
  listener: TaskListener,
  signal: AbortSignal,
): Promise<Result | undefined> {
  const control = new TaskControl();
  const start: TaskStart<Options> = { options, tellFiles: listener.file !== undefined, control: control.buffer };
  const worker = startThread(module, decodes);
  worker.postMessage(start, ports);
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const progress = setInterval(() => listener.progress(control.progressBytes), PROGRESS_INTERVAL_MS);
    const release = (): void => {
      clearInterval(progress);
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
    };
    const done = (result: Result | undefined): void => {
      release();
      resolve(result);
    };
    const stop = (): void => {
      control.stop();
      worker.postMessage('stop' satisfies TaskCommand);
      grace = setTimeout(() => {
        void worker.terminate();
        done(undefined);
      }, STOP_GRACE_MS);
    };
    worker.on('message', (message: TaskMessage<Result>) => {
      if (message.type === 'files') {
        message.paths.forEach((path, index) => listener.file?.(path, message.bytes[index]!));
      } else if (message.type === 'warning') {
        listener.warning(message.message);
      } else {
        listener.progress(control.progressBytes);
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
