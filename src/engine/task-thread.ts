import { parentPort, workerData } from 'node:worker_threads';
import type { StoredPath } from '../format/stored-path.js';
import { LaneControl } from './protocol.js';
import type { TaskMessage, TaskResult, TaskStart } from './task.js';

/** Names that are told together: a message for each would cost more than a small file itself. */
const NAMES_TOLD_TOGETHER = 256;

/** The side of a task's thread: what it was told to do, and what it says. */
export class TaskThread<Options> {
  readonly options: Options;
  readonly control: LaneControl;
  readonly #port = parentPort!;
  readonly #tellFiles: boolean;
  #paths: StoredPath[] = [];
  #bytes: number[] = [];

  constructor() {
    const { options, tellFiles, control } = workerData as TaskStart<Options>;
    this.options = options;
    this.control = new LaneControl(control);
    this.#tellFiles = tellFiles;
  }

  /** Whether it is to stop; as a function that can be handed on. */
  readonly isStopped = (): boolean => this.control.stopped;

  /** @param stop called when it is to stop, by whoever waits for events meanwhile */
  onStop(stop: () => void): void {
    // There is but one command.
    this.#port.on('message', stop);
  }

  file(path: StoredPath, bytes: number): void {
    if (!this.#tellFiles) return;
    this.#paths.push(path);
    this.#bytes.push(bytes);
    if (this.#paths.length >= NAMES_TOLD_TOGETHER) this.flush();
  }

  flush(): void {
    if (this.#paths.length === 0) return;
    this.#post({ type: 'files', paths: this.#paths, bytes: this.#bytes });
    this.#paths = [];
    this.#bytes = [];
  }

  warning(message: string): void {
    this.#post({ type: 'warning', message });
  }

  end(result: TaskResult): void {
    this.flush();
    this.#post({ type: 'end', result });
    this.#port.close();
  }

  #post(message: TaskMessage): void {
    this.#port.postMessage(message);
  }
}
