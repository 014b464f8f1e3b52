/** What all printers for people do alike. */
import type { XbstreamError } from '../../errors.js';
import { errorsText, errorText, warningText } from './error-text.js';
import type { OutputStream, Paint, PaintOf } from '../paint.js';
import type { ProgressDisplay } from '../progress.js';
import type { CommonReporter, ProgressReport, StatusPrinter } from '../reporter.js';
import { Screen } from '../screen.js';

/** What every printer for people needs. */
export interface PrinterSettings {
  /** Where results go. */
  results: OutputStream;
  /** Where errors and warnings go. */
  problems: OutputStream;
  paint: PaintOf;
  progress?: ProgressDisplay | undefined;
  /** Tell each of many problems that say the same. */
  verbose: boolean;
}

export class TextPrinter implements CommonReporter, StatusPrinter {
  readonly #settings: PrinterSettings;
  readonly #screen: Screen;

  constructor(settings: PrinterSettings) {
    this.#settings = settings;
    this.#screen = new Screen(settings.progress);
  }

  warning(message: string): void {
    const { problems, paint } = this.#settings;
    this.#screen.write(problems, warningText(message, paint(problems)));
  }

  error(error: XbstreamError): void {
    const { problems, paint } = this.#settings;
    this.#screen.write(problems, errorText(error, paint(problems)));
  }

  status(line: string): void {
    this.#screen.write(this.#settings.problems, `tsxbstream: ${line}\n`);
  }

  errors(errors: readonly XbstreamError[]): void {
    const { problems, paint, verbose } = this.#settings;
    this.#screen.write(problems, errorsText(errors, paint(problems), verbose));
  }

  progress(report: ProgressReport): void {
    this.#settings.progress?.update(report);
  }

  close(): void {
    this.#screen.close();
  }

  /** The colours of results. */
  protected get paint(): Paint {
    const { results, paint } = this.#settings;
    return paint(results);
  }

  /** Writes a result soon, together with its likes. */
  protected list(text: string): void {
    this.#screen.list(this.#settings.results, text);
  }

  /** Writes a result at the end of a run: from here on it has the screen to itself. */
  protected conclude(text: string): void {
    this.#screen.close();
    this.#screen.write(this.#settings.results, text);
  }
}
