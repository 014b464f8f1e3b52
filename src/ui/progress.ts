/**
 * The line that moves: on a terminal one line that is drawn anew ten times a second, elsewhere a plain line every couple
 * of seconds.
 */
import type { SingleBar } from 'cli-progress';
import type { OutputStream } from './paint.js';
import { progressLine } from './progress-line.js';
import { RateMeter } from './rate-meter.js';
import type { ProgressReport } from './reporter.js';
import { secondsNow } from './units.js';

/** A run shorter than this shows nothing: a line that flashes up tells nobody anything. */
const QUIET_MILLISECONDS = 500;
/** Without a terminal every update is a line that stays, in a log perhaps. */
const MILLISECONDS_BETWEEN_LINES = 2000;
/** A line no longer than this still fits after the window was made narrower, in most cases. */
const WIDEST_LINE = 100;

/**
 * A stream as cli-progress gets it: without saving and restoring the cursor's place. That place is one on the screen, and
 * by the time it is restored the screen may have moved on below it (`ssh` and `pv` write on the same terminal).
 */
function withoutCursorRestore(stream: OutputStream): NodeJS.WritableStream {
  return Object.create(stream, {
    write: {
      value: (text: string, ...rest: []) => (text === '\x1b7' || text === '\x1b8' ? true : stream.write(text, ...rest)),
    },
  }) as NodeJS.WritableStream;
}

export class ProgressDisplay {
  readonly #stream: OutputStream;
  readonly #meter = new RateMeter();
  readonly #startSeconds = secondsNow();
  readonly #begin: NodeJS.Timeout;
  #latest: ProgressReport = { bytes: 0 };
  #bar: SingleBar | undefined;
  #closed = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    this.#meter.add(this.#startSeconds, 0);
    // Not a timer to keep a process alive for.
    this.#begin = setTimeout(() => void this.#show(), QUIET_MILLISECONDS).unref();
  }

  update(report: ProgressReport): void {
    this.#latest = report;
    this.#meter.add(secondsNow(), report.bytes);
  }

  /** Takes the line off the screen, lets `write` write, and puts it back below. */
  aside(write: () => void): void {
    // Off a terminal every line of ours is whole: nothing to take away.
    const bar = this.#stream.isTTY === true ? this.#bar : undefined;
    bar?.stop();
    write();
    bar?.start(0, 0);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#begin);
    this.#bar?.stop();
    this.#bar = undefined;
  }

  /** Loads what draws only now: most runs are over before it is wanted. */
  async #show(): Promise<void> {
    const { default: cliProgress } = await import('cli-progress');
    if (this.#closed) return;
    this.#bar = new cliProgress.SingleBar({
      stream: withoutCursorRestore(this.#stream),
      format: (_options, { maxWidth }) => this.#line(maxWidth),
      clearOnComplete: true,
      noTTYOutput: true,
      notTTYSchedule: MILLISECONDS_BETWEEN_LINES,
      // The cursor is never hidden and line wrapping never switched off: then a process that is killed, or stopped with
      // Ctrl-Z, leaves a terminal that works.
      hideCursor: null,
      linewrap: true,
      // main has its own handlers.
      gracefulExit: false,
    });
    this.#bar.start(0, 0);
  }

  #line(maxWidth: number): string {
    const now = secondsNow();
    // The last column stays free: a terminal that has filled it may have gone to the next line.
    return progressLine(
      { ...this.#latest, bytesPerSecond: this.#meter.rate(now), elapsedSeconds: now - this.#startSeconds },
      Math.min(WIDEST_LINE, maxWidth) - 1,
    );
  }
}
