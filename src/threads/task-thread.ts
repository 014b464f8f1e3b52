/** A task's side of the protocol, in its thread: tells files, progress and the outcome, and hears that it is to stop. */
import { EventEmitter, once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { Context } from '../context.js';
import { errorToRecord } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import { caught, type Outcome } from '../outcome.js';
import type { ProgressReport } from '../ui/reporter.js';
import { TaskControl } from './task-control.js';
import { PART_ITEMS, PROBLEMS, type TaskCommand, type TaskMessage, type TaskStart } from './task-protocol.js';

/** Names that are told together: a message for each would cost more than a small file itself. */
const NAMES_TOLD_TOGETHER = 256;
/** For so long, in milliseconds, a name may wait for others; where the next file is a large one, it waits for that too. */
const NAMES_WAIT_MS = 50;
/** After so long, in milliseconds, others have a thread that is theirs, too. */
const PAUSE_MS = 20;

/** What a task does, in a thread of its own. */
export type Task<Options, Summary> = (options: Options, thread: TaskThread) => Promise<Outcome<Summary>>;

/** What the module of a thread exports whose task can be done in the thread of whoever wants it, too. */
export interface TaskModule {
  /** See {@link TaskThread.serve}. */
  serve: (port: MessagePort) => Promise<void>;
}

export class TaskThread implements Context {
  readonly control: TaskControl;
  readonly #port: MessagePort;
  readonly #tellFiles: boolean;
  readonly #pauses: boolean;
  #pausedAt = performance.now();
  readonly #stopping = new AbortController();
  readonly #answers = new EventEmitter();
  #paths: StoredPath[] = [];
  #bytes: number[] = [];
  #toldAt = performance.now();

  private constructor(port: MessagePort, { tellFiles, control, pauses }: TaskStart<unknown>) {
    this.#port = port;
    this.#pauses = pauses;
    this.control = new TaskControl(control);
    this.#tellFiles = tellFiles;
    port.on('message', (command: TaskCommand) => {
      if (command === 'stop') this.#stopping.abort();
      else this.#answers.emit(command);
    });
  }

  /** Waits to be told what to do, does it, and tells what it came to. @throws what the task does not catch */
  static async serve<Options>(port: MessagePort, task: Task<Options, unknown>): Promise<void> {
    const [start] = (await once(port, 'message')) as [TaskStart<Options>];
    const thread = new TaskThread(port, start);
    await thread.#end(await caught(task(start.options, thread), thread.signal));
  }

  /** Aborted when it is to stop, for whoever waits for events meanwhile. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Whether it is to stop, also where nobody waits for events; as a function that can be handed on. */
  readonly isStopped = (): boolean => this.control.stopped;

  /** A file is done. */
  file(path: StoredPath, bytes: number): void {
    this.control.fileDone();
    if (!this.#tellFiles) return;
    this.#paths.push(path);
    this.#bytes.push(bytes);
    const isDue = this.#paths.length >= NAMES_TOLD_TOGETHER || performance.now() - this.#toldAt > NAMES_WAIT_MS;
    if (isDue) this.flush();
  }

  /** Tells now which files are done. */
  flush(): void {
    if (this.#paths.length === 0) return;
    this.#post({ type: 'files', paths: this.#paths, bytes: this.#bytes });
    this.#paths = [];
    this.#bytes = [];
    this.#toldAt = performance.now();
  }

  /** To be waited for between pieces of work, in a thread that is not the task's alone. */
  pause(): Promise<void> | undefined {
    if (!this.#pauses || performance.now() - this.#pausedAt < PAUSE_MS) return undefined;
    return setImmediate().then(() => {
      this.#pausedAt = performance.now();
    });
  }

  progress({ bytes, totalBytes, files, path }: ProgressReport): void {
    this.control.progressBytes = bytes;
    this.control.totalBytes = totalBytes;
    if (files !== undefined) this.control.files = files;
    if (path !== undefined) this.control.path = path;
  }

  warning(message: string): void {
    this.#post({ type: 'warning', message });
  }

  async #end({ summary, problems, stopped }: Outcome<unknown>): Promise<void> {
    this.flush();
    const records = await this.#sendList(PROBLEMS, problems.map(errorToRecord));
    const rest =
      summary === undefined ? undefined : await this.#sendLists(summary as Readonly<Record<string, unknown>>);
    this.#post({ type: 'end', summary: rest, problems: records, stopped });
    this.#port.close();
  }

  /** @returns what is still to be told */
  async #sendLists(summary: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    const rest: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(summary)) {
      rest[name] = Array.isArray(value) ? await this.#sendList(name, value as readonly unknown[]) : value;
    }
    return rest;
  }

  async #sendList<Item>(list: string, items: readonly Item[]): Promise<readonly Item[]> {
    if (items.length <= PART_ITEMS) return items;
    for (let at = 0; at < items.length; at += PART_ITEMS) {
      const answered = once(this.#answers, 'next' satisfies TaskCommand);
      this.#post({ type: 'part', list, items: items.slice(at, at + PART_ITEMS) });
      await answered;
    }
    return [];
  }

  #post(message: TaskMessage): void {
    this.#port.postMessage(message);
  }
}
