import { systemCodeOf } from '../errors.js';
import type { OutputStream } from '../ui/output-stream.js';

/** Watches stdout and stderr: what can no longer be written must not end in a stack trace, and not pass for success. */
export class Outputs {
  readonly #streams: readonly OutputStream[];
  #failure: Error | undefined;
  /** Called once, with the first failure. */
  onFailure: ((error: Error) => void) | undefined;

  constructor(streams: readonly OutputStream[]) {
    this.#streams = streams;
    for (const stream of streams) stream.on('error', (error: Error) => this.#fail(error));
  }

  /** The first failure of one of them. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether the reader of one of them has gone away (`| head`, a closed terminal): then there is nobody to tell it to. */
  get isAbandoned(): boolean {
    return this.#failure !== undefined && ['EPIPE', 'EIO', 'ECONNRESET'].includes(systemCodeOf(this.#failure) ?? '');
  }

  /** Resolves when everything written so far has gone, or cannot go. */
  async flushed(): Promise<void> {
    await Promise.all(
      this.#streams.map((stream) => new Promise<void>((resolve) => void stream.write('', () => resolve()))),
    );
    // A stream tells its failure in the turn after it has called back.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.onFailure?.(error);
  }
}
