/**
 * A thread that helps this one, and that this one can wait for: by events, or in a call that blocks. It is told what to do by
 * messages, or through memory in its data; it does that in order.
 *
 * What is lent to it (a descriptor, shared memory) is free when it has said so, or when it is gone; no time limit says so.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort, type Worker } from 'node:worker_threads';
import { newThread } from './new-thread.js';
import { threadEnded, ThreadPresence } from './presence.js';

/** What the module of a helper is started with. */
export interface HelperStart<Data> {
  data: Data;
  /** Where answers go. */
  port: MessagePort;
  /** See {@link ANSWERS} and {@link PRESENCE}. */
  state: SharedArrayBuffer;
}

/** Where in the state it says how many answers there are. */
export const ANSWERS = 0;
/** And that it is there. */
export const PRESENCE = 1;

export interface HelperOptions<Data> {
  /** For messages: 'the writing thread'. */
  name: string;
  /** What it works with. */
  data: Data;
  /** It undoes layers: what decoders allocate natively is to be found dead early. */
  decodes: boolean;
}

export class Helper<Data, Task, Answer> {
  /** Whether it is there. */
  readonly presence: ThreadPresence;
  readonly #name: string;
  readonly #state = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;
  readonly #port: MessagePort;
  #heard = 0;
  #failure: Error | undefined;

  /** @param module connects by `connectHelper` */
  constructor(module: URL, { name, data, decodes }: HelperOptions<Data>) {
    const { port1, port2 } = new MessageChannel();
    this.#name = name;
    this.#port = port1;
    this.presence = new ThreadPresence(this.#state, PRESENCE);
    const start: HelperStart<Data> = { data, port: port2, state: this.#state.buffer };
    this.#worker = newThread(module, {
      workerData: start,
      transferList: [port2],
      // It opens and closes many descriptors; that Node keeps a list of them serves nobody.
      trackUnmanagedFds: false,
      // Little of what it makes lives for long.
      resourceLimits: decodes ? {} : { maxYoungGenerationSizeMb: 1 },
    });
    this.#worker.on('error', (error) => {
      this.#failure = error;
    });
    // While it works it keeps this thread alive by itself.
    port1.unref();
  }

  /** Gives it something to do. @param moved memory in the task that is its own from now on */
  tell(task: Task, moved: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(task, moved);
  }

  /**
   * Hears it by events; then {@link waitForAnswer} is not to be used.
   *
   * @param ended called once, when it is gone
   */
  hear(answered: (answer: Answer) => void, ended: (why: Error) => void): void {
    this.#port.on('message', answered);
    this.#port.unref();
    this.#worker.on('exit', () => ended(this.ended()));
  }

  /** Blocks until the next answer is there, however long that takes. @throws Error when the thread is gone */
  waitForAnswer(): Answer {
    const answer = this.waitUnless(() => false);
    if (answer === undefined) throw this.ended();
    return answer;
  }

  /** The same, until it is to stop: then there may be no answer. @throws Error when the thread is gone */
  waitUnless(isStopped: () => boolean): Answer | undefined {
    this.presence.waitWhile(this.#state, ANSWERS, this.#heard, isStopped);
    const answer = this.answerIfAny();
    if (answer !== undefined || isStopped()) return answer;
    // It must not begin after all.
    if (!this.presence.hasBegun) this.terminate();
    throw this.ended();
  }

  /** The next answer, if there is one by now. Only for a caller that knows otherwise when to ask. */
  answerIfAny(): Answer | undefined {
    const received = receiveMessageOnPort(this.#port) as { message: Answer } | undefined;
    if (received !== undefined) this.#heard = (this.#heard + 1) | 0;
    return received?.message;
  }

  /** It does not keep this thread alive, and ends with it. */
  unref(): void {
    this.#worker.unref();
  }

  /** Ends it in the middle of whatever it does. What it was told is not done, and nothing may be lent to it. */
  terminate(): void {
    void this.#worker.terminate();
  }

  /** What there is to say when it is gone too early. */
  ended(): Error {
    return this.#failure ?? threadEnded(`${this.#name} has ended before its work was done`);
  }
}
