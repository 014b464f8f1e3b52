/** What all printers for programs do alike. */
import type { XbstreamError } from '../../errors.js';
import { errorsText, warningText } from '../text/error-text.js';
import { errorFields, failedSummaryLine, jsonLine, type JsonFields } from './json-line.js';
import type { OutputStream, PaintOf } from '../paint.js';
import type { CommonReporter, ProgressReport, StatusPrinter } from '../reporter.js';
import { Screen } from '../screen.js';

/** What a program wants to read, and where. */
export interface JsonSettings {
  /** Where the JSON lines go. */
  results: OutputStream;
  /** Where errors and warnings go as text, too. */
  problems: OutputStream;
  paint: PaintOf;
  /** Also say how far the reading has come. */
  progress: boolean;
  /** Tell people each of many problems that say the same. */
  verbose: boolean;
}

export class JsonPrinter implements CommonReporter, StatusPrinter {
  readonly #settings: JsonSettings;
  readonly #screen = new Screen();
  readonly #started = performance.now();
  /** The last line of all, where the run has come to something. */
  #conclusion: string | undefined;
  #isClosed = false;

  constructor(settings: JsonSettings) {
    this.#settings = settings;
  }

  warning(message: string): void {
    this.write('warning', { message });
    const { problems, paint } = this.#settings;
    this.#screen.write(problems, warningText(message, paint(problems)));
  }

  error(error: XbstreamError): void {
    this.#tell('error', [error]);
  }

  errors(errors: readonly XbstreamError[]): void {
    this.#tell('error', errors);
  }

  /** All that is wrong with the archive that was looked at. */
  protected problems(errors: readonly XbstreamError[]): void {
    this.#tell('problem', errors);
  }

  status(line: string): void {
    this.#screen.write(this.#settings.problems, `tsxbstream: ${line}\n`);
  }

  progress({ bytes, totalBytes }: ProgressReport): void {
    if (this.#settings.progress) this.write('progress', { bytes, totalBytes });
  }

  close(): void {
    if (!this.#isClosed) {
      this.#screen.list(this.#settings.results, this.#conclusion ?? failedSummaryLine(this.#elapsedSeconds));
    }
    this.#isClosed = true;
    this.#screen.close();
  }

  /** The last line of a run: what is still told of errors comes before it. */
  protected conclude(type: string, fields: JsonFields): void {
    this.#conclusion = jsonLine(type, { ...fields, elapsedSeconds: this.#elapsedSeconds });
  }

  get #elapsedSeconds(): number {
    return Math.round(performance.now() - this.#started) / 1000;
  }

  /** Writes a line soon, together with its likes. */
  protected list(type: string, fields: JsonFields): void {
    // A thread that was left behind may still tell of its work, and the summary is the last line.
    if (this.#isClosed) return;
    this.#screen.list(this.#settings.results, jsonLine(type, fields));
  }

  protected write(type: string, fields: JsonFields): void {
    this.list(type, fields);
    this.#screen.flush();
  }

  /** Each as a line for programs; for people what says the same of many is told once. */
  #tell(type: 'error' | 'problem', errors: readonly XbstreamError[]): void {
    const { problems, paint, verbose } = this.#settings;
    for (const error of errors) this.list(type, errorFields(error));
    this.#screen.flush();
    this.#screen.write(problems, errorsText(errors, paint(problems), verbose));
  }
}
