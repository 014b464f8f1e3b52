import { XbstreamError } from '../errors.js';
import type { ByteSink, Source } from './source.js';

/** The error for an input that was silent for too long. */
export function stalled(name: string, seconds: number): XbstreamError {
  return new XbstreamError('XB_IO', `nothing has come from ${name} for ${seconds} s`, {
    hints: ['is the other side still at work? --timeout=SECONDS says how long to wait; without it that is for ever'],
  });
}

/** More is no time for a timer of Node's, which then ends at once. Who waits so long, 24 days, is told that nothing comes. */
const WAIT_MS_MAX = 2 ** 31 - 1;

/** How long a timer waits that is to wait so many seconds. */
export function waitMs(seconds: number): number {
  return Math.min(WAIT_MS_MAX, 1000 * seconds);
}

/** A source that comes by events, and must not be silent for too long. */
export class TimedSource implements Source {
  readonly seekable = false;
  readonly #source: Source;
  readonly #seconds: number;
  readonly #name: string;
  #timer: NodeJS.Timeout | undefined;
  #isStalled = false;

  /**
   * @param seconds so long nothing may come
   * @param name for messages
   */
  constructor(source: Source, seconds: number, name: string) {
    this.#source = source;
    this.#seconds = seconds;
    this.#name = name;
  }

  async run(sink: ByteSink): Promise<void> {
    // The time that it takes to make room, and to work up what has come, is none of the input's.
    const room = (): Buffer => {
      clearTimeout(this.#timer);
      const memory = sink.room();
      this.#watch();
      return memory;
    };
    const push = (piece: Buffer): Promise<void> | undefined => {
      clearTimeout(this.#timer);
      const wait = sink.push(piece);
      if (wait === undefined) this.#watch();
      return wait?.then(() => this.#watch());
    };
    this.#watch();
    try {
      const lastPieceIsSafe = (): void => sink.lastPieceIsSafe?.();
      await this.#source.run({ room, push, lastPieceIsSafe, skippableBytes: 0, skip: () => undefined });
    } finally {
      clearTimeout(this.#timer);
    }
    if (!this.#isStalled) return;
    throw stalled(this.#name, this.#seconds);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isStalled = true;
      this.#source.stop();
    }, waitMs(this.#seconds));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#source.stop();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source.close();
  }
}
