/** What the pipelines of one run share: which file is next, and whether one of them has failed. */
export class WorkBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #numbers: Int32Array;

  constructor(buffer = new SharedArrayBuffer(8)) {
    this.buffer = buffer;
    this.#numbers = new Int32Array(buffer);
  }

  /** The place in the plan of a file that nobody else has taken. */
  take(): number {
    return Atomics.add(this.#numbers, 0, 1);
  }

  /** One has failed: the others end, too. */
  get isStopped(): boolean {
    return Atomics.load(this.#numbers, 1) !== 0;
  }

  stop(): void {
    Atomics.store(this.#numbers, 1, 1);
  }
}
