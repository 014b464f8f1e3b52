/** The other side of the protocol: hands on what a task's thread tells, and keeps its outcome. */
import type { Context } from '../context.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';
import type { Outcome } from '../outcome.js';
import { TaskControl } from './task-control.js';
import { PROBLEMS, type TaskCommand, type TaskMessage, type TaskStart } from './task-protocol.js';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

export class ToldTask<Summary> {
  readonly #control = new TaskControl();
  readonly #context: Context;
  readonly #say: (command: TaskCommand) => void;
  readonly #progress: NodeJS.Timeout;
  readonly #lists = new Map<string, unknown[]>();
  #outcome: Outcome<Summary> | undefined;

  /** @param say says something to the task */
  constructor(context: Context, say: (command: TaskCommand) => void) {
    this.#context = context;
    this.#say = say;
    this.#progress = setInterval(() => this.#tellProgress(), PROGRESS_INTERVAL_MS);
  }

  /** What it came to, once {@link hear} has had its last message. */
  get outcome(): Outcome<Summary> | undefined {
    return this.#outcome;
  }

  /** What it is told first. @param pauses see {@link TaskStart} */
  start<Options>(options: Options, pauses = false): TaskStart<Options> {
    return { options, tellFiles: this.#context.file !== undefined, control: this.#control.buffer, pauses };
  }

  /** Tells it to stop. */
  stop(): void {
    this.#control.stop();
    this.#say('stop');
  }

  /** Takes each message. @returns whether it was the last one */
  hear(message: TaskMessage): boolean {
    switch (message.type) {
      case 'files':
        message.paths.forEach((path, index) => this.#context.file?.(path, message.bytes[index]!));
        return false;
      case 'warning':
        this.#context.warning(message.message);
        return false;
      case 'part':
        this.#listOf(message.list).push(...message.items);
        this.#say('next');
        return false;
      case 'end':
        this.#tellProgress();
        this.#outcome = this.#outcomeOf(message);
        return true;
    }
  }

  /** Nothing is told any more. */
  close(): void {
    clearInterval(this.#progress);
  }

  #outcomeOf({ summary, problems, stopped }: TaskMessage & { type: 'end' }): Outcome<Summary> {
    const records = (this.#lists.get(PROBLEMS) as readonly ErrorRecord[] | undefined) ?? problems;
    this.#lists.delete(PROBLEMS);
    return {
      summary: summary === undefined ? undefined : ({ ...summary, ...Object.fromEntries(this.#lists) } as Summary),
      problems: records.map(errorFromRecord),
      stopped,
    };
  }

  #listOf(name: string): unknown[] {
    const list = this.#lists.get(name) ?? [];
    this.#lists.set(name, list);
    return list;
  }

  #tellProgress(): void {
    this.#context.progress(this.#control.progress);
  }
}
