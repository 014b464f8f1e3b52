import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import type { StoredPath } from '../format/stored-path.js';
import { TaskControl, type TaskMessage, type TaskStart } from './task-protocol.js';

/** Names that are told together: a message for each would cost more than a small file itself. */
const NAMES_TOLD_TOGETHER = 256;
/** For so long, in milliseconds, a name may wait for others; where the next file is a large one, it waits for that too. */
const NAMES_WAIT_MS = 50;

/** The side of a task's thread: what it was told to do, and what it says. */
export class TaskThread<Options, Result> {
  readonly options: Options;
  readonly control: TaskControl;
  readonly #port = parentPort!;
  readonly #tellFiles: boolean;
  #paths: StoredPath[] = [];
  #bytes: number[] = [];
  #toldAt = performance.now();

  private constructor({ options, tellFiles, control }: TaskStart<Options>) {
    this.options = options;
    this.control = new TaskControl(control);
    this.#tellFiles = tellFiles;
  }

  /** Waits to be told what to do. */
  static async started<Options, Result>(): Promise<TaskThread<Options, Result>> {
    const [start] = (await once(parentPort!, 'message')) as [TaskStart<Options>];
    return new TaskThread<Options, Result>(start);
  }

  /** Whether it is to stop; as a function that can be handed on. */
  readonly isStopped = (): boolean => this.control.stopped;

  /** @param stop called when it is to stop, by whoever waits for events meanwhile */
  onStop(stop: () => void): void {
    // There is but one command.
    this.#port.on('message', stop);
  }

  file(path: StoredPath, bytes: number): void {
    this.control.fileDone();
    if (!this.#tellFiles) return;
    this.#paths.push(path);
    this.#bytes.push(bytes);
    const isDue = this.#paths.length >= NAMES_TOLD_TOGETHER || performance.now() - this.#toldAt > NAMES_WAIT_MS;
    if (isDue) this.flush();
  }

  flush(): void {
    if (this.#paths.length === 0) return;
    this.#post({ type: 'files', paths: this.#paths, bytes: this.#bytes });
    this.#paths = [];
    this.#bytes = [];
    this.#toldAt = performance.now();
  }

  warning(message: string): void {
    this.#post({ type: 'warning', message });
  }

  end(result: Result): void {
    this.flush();
    this.#post({ type: 'end', result });
    this.#port.close();
  }

  #post(message: TaskMessage<Result>): void {
    this.#port.postMessage(message);
  }
}
