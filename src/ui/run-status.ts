import { printablePath } from './printable.js';
import { RateMeter } from './rate-meter.js';
import type { ProgressReport } from './reporter.js';
import { formatBytes, formatClock, formatCount, formatRate, secondsNow } from './units.js';

const SAMPLE_MILLISECONDS = 1000;

/** How far a run is, for whoever asks: a line that can be had at any time, however busy or stuck the threads are that work. */
export class RunStatus {
  readonly #startSeconds = secondsNow();
  readonly #meter = new RateMeter();
  readonly #timer: NodeJS.Timeout;
  #report: ProgressReport = { bytes: 0 };

  constructor() {
    this.#sample();
    // Not a timer to keep a process alive for.
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MILLISECONDS).unref();
  }

  update(report: ProgressReport): void {
    this.#report = report;
  }

  /** `12 files, 3.4 GiB of 10.0 GiB read, 310 MiB/s, 0:11 elapsed, at work on db1/t1.ibd` */
  get line(): string {
    this.#sample();
    const { bytes, totalBytes, files } = this.#report;
    const now = secondsNow();
    const parts = [
      ...(files === undefined ? [] : [formatCount(files, 'file')]),
      `${formatBytes(bytes)}${totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`} read`,
      formatRate(this.#meter.rate(now)),
      `${formatClock(now - this.#startSeconds)} elapsed`,
      ...(this.atWork === undefined ? [] : [this.atWork]),
    ];
    return parts.join(', ');
  }

  /** `at work on db1/t1.ibd`; undefined before there is a file. */
  get atWork(): string | undefined {
    const { path } = this.#report;
    return path === undefined ? undefined : `at work on ${printablePath(path)}`;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    this.#meter.add(secondsNow(), this.#report.bytes);
  }
}
