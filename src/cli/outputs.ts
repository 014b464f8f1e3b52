import { systemCodeOf } from '../errors.js';
import type { OutputStream } from '../ui/paint.js';

/**
 * Watches stdout and stderr: what can no longer be written must not end in a stack trace, and not pass for success. But that
 * the disk is full that messages go to is no reason to stop a restore, and does not make it any worse.
 */
export class Outputs {
  readonly #streams: readonly OutputStream[];
  #failure: Error | undefined;
  /** Called once, with the first failure that counts. */
  onFailure: ((error: Error) => void) | undefined;

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.#streams = [stdout, stderr];
    stdout.on('error', (error: Error) => this.#fail(error));
    stderr.on('error', (error: Error) => {
      if (isAbandonment(error)) this.#fail(error);
    });
  }

  /** The first failure that counts. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether the reader of one of them has gone away (`| head`, a closed terminal). */
  get isAbandoned(): boolean {
    return this.#failure !== undefined && isAbandonment(this.#failure);
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

function isAbandonment(error: Error): boolean {
  return ['EPIPE', 'EIO', 'ECONNRESET'].includes(systemCodeOf(error) ?? '');
}
