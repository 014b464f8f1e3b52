import type { Worker } from 'node:worker_threads';
import { threadEnded } from '../thread-presence.js';

/** How long a thread that was told to stop may take, in milliseconds, until it is told to end at once. */
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
 * Hears a thread to its last message, or to its end: what it was lent (a caller's descriptor, a directory) it uses until
 * then, however long a call of the system takes that it is in.
 *
 * @param signal the thread is told to stop, and to end when it does not in time
 * @returns whether the last message came
 * @throws what the thread did not catch
 */
export function hearThread<Message>(
  { worker, hear, tellStop }: HeardThread<Message>,
  signal: AbortSignal,
): Promise<boolean> {
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
    worker.on('message', (message: Message) => {
      if (!hear(message)) return;
      release();
      resolve(true);
    });
    worker.on('error', (error: Error) => {
      failure = error;
    });
    // Comes behind all messages. Threads that it has started itself are gone by then, too.
    worker.on('exit', () => {
      release();
      if (failure === undefined && isEnded) resolve(false);
      else reject(failure ?? threadEnded('a thread has ended without saying what became of its work'));
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
