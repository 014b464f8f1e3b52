import { parentPort, workerData } from 'node:worker_threads';
import { ANSWERS, PRESENCE, type HelperStart } from './helper.js';
import { ThreadPresence } from './presence.js';

/** The side of a thread that was started as a `Helper`. */
export interface HelperSide<Data, Task, Answer> {
  data: Data;
  /** @param moved memory in the answer that is the other side's from now on */
  answer: (answer: Answer, moved?: readonly ArrayBuffer[]) => void;
  /** Has it called for everything that it is told; the thread then stays until it is ended. */
  onTask: (work: (task: Task) => void) => void;
}

/** Says to the other side that this thread is there. Called once, before it touches anything that is lent to it. */
export function connectHelper<Data, Task, Answer>(): HelperSide<Data, Task, Answer> {
  const { data, port, state } = workerData as HelperStart<Data>;
  const numbers = new Int32Array(state);
  new ThreadPresence(numbers, PRESENCE).announce();
  return {
    data,
    answer: (answer, moved = []) => {
      // First: whoever sees the number takes the answer.
      port.postMessage(answer, moved);
      Atomics.add(numbers, ANSWERS, 1);
      Atomics.notify(numbers, ANSWERS);
    },
    onTask: (work) => parentPort!.on('message', work),
  };
}
