import { setImmediate } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { BufferedSink, type SequentialSink } from '../output/sinks.js';
import type { TarEntry } from './header.js';

type EntrySink = ReturnType<ReturnType<typeof pack>['entry']>;

/**
 * Runs tar-stream's packer, whose output goes to a sink that is synchronous, one step at a time: every step is waited for,
 * so that nothing piles up and the memory of what was written can be used again.
 */
export class TarStreamSink {
  readonly #pack = pack();
  readonly #sink: BufferedSink;
  #entry: EntrySink | undefined;
  /** Of the next block that comes out. */
  #mend: ((block: Buffer) => void) | undefined;
  /** What must come out for the step to be done. */
  #awaited: Buffer | undefined;
  #step: { done: () => void; fail: (error: unknown) => void } | undefined;
  #failure: { error: unknown } | undefined;

  constructor(sink: SequentialSink) {
    this.#sink = new BufferedSink(sink);
    this.#pack.on('data', (bytes) => this.#take(bytes as Buffer));
    this.#pack.on('end', () => this.#done());
    this.#pack.on('error', (error) => this.#fail(error));
  }

  /** Begins an entry; the one before must be complete. @throws what the sink has thrown since */
  begin({ header, mend }: TarEntry): void {
    if (this.#failure !== undefined) throw asError(this.#failure.error);
    this.#mend = mend;
    this.#entry = this.#pack.entry({ ...header }, (error) => {
      if (error === null || error === undefined) this.#done();
      else this.#fail(error);
    });
    // Whatever is wrong with it is wrong with the packer.
    this.#entry.on('error', (error) => this.#fail(error));
  }

  /** Adds content; `bytes` are the caller's own again when the promise is settled. @throws what the sink throws */
  write(bytes: Buffer): Promise<void> {
    return this.#run(() => {
      this.#awaited = bytes;
      this.#entry!.write(bytes);
    });
  }

  /** Adds `last`, and the entry is complete. @throws what the sink throws */
  complete(last: Buffer): Promise<void> {
    return this.#run(() => {
      const entry = this.#entry!;
      this.#entry = undefined;
      entry.end(last.length > 0 ? last : undefined);
    });
  }

  /** All entries are in. @throws what the sink throws */
  async end(): Promise<void> {
    await this.#run(() => this.#pack.finalize());
    this.#sink.flush();
  }

  /** Nothing more comes: gives the sink what was gathered. @throws what the sink throws */
  async breakOff(): Promise<void> {
    // The header of an entry that was just begun is still on its way.
    await setImmediate();
    if (this.#failure === undefined) this.#sink.flush();
    this.#fail(new Error('broken off'));
  }

  #take(bytes: Buffer): void {
    try {
      this.#mend?.(bytes);
      this.#mend = undefined;
      this.#sink.put([bytes]);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (bytes === this.#awaited) this.#done();
  }

  #run(begin: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#step = { done: resolve, fail: reject };
      if (this.#failure === undefined) begin();
      else reject(asError(this.#failure.error));
    });
  }

  #done(): void {
    this.#awaited = undefined;
    this.#step?.done();
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#step?.fail(error);
    this.#pack.destroy(asError(error));
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
