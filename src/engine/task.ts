import type { MessagePort } from 'node:worker_threads';
import type { StoredPath } from '../format/stored-path.js';
import type { ErrorRecord } from '../errors.js';
import { abortedSoon, isOfOthersEnd } from './cut-short.js';
import { hearThread } from './hear-thread.js';
import { startThread } from './start-thread.js';
import { TaskControl, type TaskCommand, type TaskMessage, type TaskProgress, type TaskStart } from './task-protocol.js';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

/** Who is told what a task does while it runs. */
export interface TaskListener {
  /** Missing where nobody wants to know: for many small files it takes its time. */
  file: ((path: StoredPath, bytes: number) => void) | undefined;
  progress(progress: TaskProgress): void;
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
  /** Its input ends when another process does. */
  piped: boolean;
}

/** What every task says when it has ended. */
export interface TaskResult {
  errors: ErrorRecord[];
  /** It was told to stop before its end. */
  stopped: boolean;
}

/**
 * Runs a task in a thread of its own, so that this one stays free for signals and whatever the caller does.
 *
 * @param signal ends it early; the result then says so
 * @returns undefined when the thread did not stop in time and was ended
 */
export async function runTask<Options, Result extends TaskResult>(
  { module, options, ports, decodes, piped }: Task<Options>,
  listener: TaskListener,
  signal: AbortSignal,
): Promise<Result | undefined> {
  const control = new TaskControl();
  const start: TaskStart<Options> = { options, tellFiles: listener.file !== undefined, control: control.buffer };
  const worker = startThread(module, decodes);
  worker.postMessage(start, ports);
  const progress = setInterval(() => listener.progress(control.progress), PROGRESS_INTERVAL_MS);
  let result: Result | undefined;
  const hear = (message: TaskMessage<Result>): boolean => {
    switch (message.type) {
      case 'files':
        message.paths.forEach((path, index) => listener.file?.(path, message.bytes[index]!));
        return false;
      case 'warning':
        listener.warning(message.message);
        return false;
      case 'end':
        listener.progress(control.progress);
        result = message.result;
        return true;
    }
  };
  const tellStop = (): void => {
    control.stop();
    worker.postMessage('stop' satisfies TaskCommand);
  };
  try {
    await hearThread({ worker, hear, tellStop }, signal);
  } finally {
    clearInterval(progress);
  }
  const isCut = result?.errors.some((error) => isOfOthersEnd(error, piped));
  if (result !== undefined && isCut === true && (await abortedSoon(signal))) {
    result.errors = result.errors.filter((error) => !isOfOthersEnd(error, piped));
    result.stopped = true;
  }
  return result;
}
