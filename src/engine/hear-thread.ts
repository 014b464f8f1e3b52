import type { Worker } from 'node:worker_threads';

/** How long a thread that was told to stop may take, in milliseconds, until it is ended. */
const STOP_GRACE_MS = 700;

/** A thread and what it says. */
export interface HeardThread<Message> {
  worker: Worker;
  /** Takes each message; returns whether it was the last one. */
  hear: (message: Message) => boolean;
  /** Tells it to stop. */
  tellStop: () => void;
}

/**
 * Hears a thread to its last message.
 *
 * @param signal the thread is told to stop, and ended when it does not in time
 * @returns whether the last message came
 * @throws what the thread did not catch
 */
export function hearThread<Message>(
  { worker, hear, tellStop }: HeardThread<Message>,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const release = (): void => {
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
    };
    const done = (isComplete: boolean): void => {
      release();
      resolve(isComplete);
    };
    const stop = (): void => {
      tellStop();
      grace = setTimeout(() => {
        void worker.terminate();
        done(false);
      }, STOP_GRACE_MS);
    };
    worker.on('message', (message: Message) => {
      if (hear(message)) done(true);
    });
    worker.on('error', (error) => {
      release();
      reject(error);
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
