import { constants } from 'node:os';
import { XbstreamError } from '../errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof SIGNALS)[number];

/** How long a verb has to clean up when it is to stop: who presses Ctrl-C waits no longer than a second. */
const PATIENCE_MILLISECONDS = 800;

/**
 * Whatever ends a run from outside. The first signal asks the verb to stop and gives it time to clean up, a second one ends
 * the process at once. In the end the process dies of the signal, as its parent expects.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #handlers = new Map<Signal, () => void>();
  readonly #lastWords: () => void;
  #giveUp: ((reason: unknown) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #received: Signal | undefined;

  /** @param lastWords called before the process dies of a second signal */
  constructor(lastWords: () => void) {
    this.#lastWords = lastWords;
    for (const signal of SIGNALS) {
      const handler = (): void => this.#receive(signal);
      this.#handlers.set(signal, handler);
      process.on(signal, handler);
    }
  }

  /** Aborts when the run is to stop. After a signal its reason is an XbstreamError that a verb can say more with. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that came, if one did. */
  get received(): Signal | undefined {
    return this.#received;
  }

  /** Asks the verb to stop. */
  abort(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    const inVain =
      reason instanceof XbstreamError
        ? reason.with({ details: ['it did not stop in time: unfinished files may be left, named .NAME.partial'] })
        : reason;
    this.#timer = setTimeout(() => this.#giveUp?.(inVain), PATIENCE_MILLISECONDS);
  }

  /** What `work` comes to. If it was asked to stop and does not in time, rejects with the reason it was asked with. */
  async patiently(work: Promise<unknown>): Promise<void> {
    const patience = new Promise<never>((_resolve, reject) => {
      this.#giveUp = reject;
    });
    try {
      await Promise.race([work, patience]);
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Whether an error is the reason of this interruption, perhaps with more said by the verb. */
  isReason(error: unknown): boolean {
    if (!this.signal.aborted) return false;
    if (error === this.signal.reason) return true;
    return this.#received !== undefined && error instanceof XbstreamError && error.systemCode === this.#received;
  }

  stopListening(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
    this.#handlers.clear();
  }

  /**
   * Ends the process by a signal.
   *
   * @returns the exit code a shell shows for it, for the case that the process lives on (the signal may be blocked)
   */
  die(signal: Signal): number {
    // Without our handler the signal does what it does by default.
    this.stopListening();
    process.kill(process.pid, signal);
    return 128 + constants.signals[signal];
  }

  #receive(signal: Signal): void {
    if (this.#received !== undefined) {
      this.#lastWords();
      this.die(signal);
      return;
    }
    this.#received = signal;
    this.abort(new XbstreamError('XB_IO', `interrupted by ${signal}`, { systemCode: signal }));
  }
}
