/** Takes bytes, in order; they are the giver's own again after the call. */
export interface SequentialSink {
  write(bytes: Buffer): void;
  writeAll(buffers: readonly Buffer[]): void;
}

/** What is larger is handed on as it is: a call of the system for each small piece would cost more than its copy. */
const GATHERED_BYTES_MAX = 64 * 1024;
const STAGE_BYTES = 512 * 1024;

/** Gathers small pieces on their way to a sink. */
export class Gatherer {
  readonly #sink: SequentialSink;
  readonly #stage = Buffer.allocUnsafeSlow(STAGE_BYTES);
  #staged = 0;

  constructor(sink: SequentialSink) {
    this.#sink = sink;
  }

  put(buffers: readonly Buffer[]): void {
    const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
    if (this.#staged + bytes > STAGE_BYTES) this.flush();
    if (bytes > GATHERED_BYTES_MAX) {
      this.flush();
      this.#sink.writeAll(buffers);
      return;
    }
    for (const buffer of buffers) this.#staged += buffer.copy(this.#stage, this.#staged);
  }

  /** Gives the sink all that was gathered. */
  flush(): void {
    if (this.#staged > 0) this.#sink.write(this.#stage.subarray(0, this.#staged));
    this.#staged = 0;
  }
}
