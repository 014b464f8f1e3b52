/**
 * Whatever ends a run from outside. The first signal asks the verb to stop and gives it time to clean up, a second one ends
 * the process at once. In the end the process dies of the signal, as its parent expects.
 */
import { constants } from 'node:os';
import { abortedSoon } from '../engine/cut-short.js';
import { XbstreamError } from '../errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
type Signal = (typeof SIGNALS)[number];

/** How long a verb has to clean up when it is to stop: after Ctrl-C nobody waits longer than a second. */
const PATIENCE_MILLISECONDS = 800;

/** What the run has to say when a signal comes. */
export interface InterruptionWords {
  /** Takes what moves off the screen: the process dies of a second signal. */
  last: () => void;
  /** Says how far the run is, before it ends by SIGQUIT. */
  status: () => void;
  /** What it is at work on, if that is known. */
  atWork: () => string | undefined;
}

export class Interruption {
  readonly #controller = new AbortController();
  /** Aborted by a signal only. */
  readonly #signalled = new AbortController();
  readonly #handlers = new Map<Signal, () => void>();
  readonly #words: InterruptionWords;
  #giveUp: ((reason: unknown) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #received: Signal | undefined;

  constructor(words: InterruptionWords) {
    this.#words = words;
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
    this.#timer = setTimeout(() => this.#giveUp?.(this.#inVain(reason)), PATIENCE_MILLISECONDS);
  }

  #inVain(reason: unknown): unknown {
    if (!(reason instanceof XbstreamError)) return reason;
    const atWork = this.#words.atWork();
    const details = ['it did not stop in time: unfinished files may be left, named .NAME.partial'];
    return reason.with({ details: atWork === undefined ? details : [`it was ${atWork}`, ...details] });
  }

  /** What `work` comes to. If it was asked to stop and does not in time, rejects with the reason it was asked with. */
  async patiently<Result>(work: Promise<Result>): Promise<Result> {
    const patience = new Promise<never>((_resolve, reject) => {
      this.#giveUp = reject;
    });
    try {
      return await Promise.race([work, patience]);
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Waits a moment for a signal that explains why others have gone away; see {@link abortedSoon}. */
  async signalSoon(): Promise<void> {
    if (this.#received === undefined) await abortedSoon(this.#signalled.signal);
  }

  /** What there is to say when a signal has ended the run. */
  get error(): XbstreamError {
    return new XbstreamError('XB_IO', `interrupted by ${this.#received!}`, { systemCode: this.#received });
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
      this.#words.last();
      this.die(signal);
      return;
    }
    this.#received = signal;
    if (signal === 'SIGQUIT') this.#words.status();
    this.#signalled.abort();
    this.abort(this.error);
  }
}
