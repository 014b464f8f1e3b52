import type { XbstreamError } from '../errors.js';
import { errorText, warningText } from './error-text.js';
import type { OutputStream } from './output-stream.js';
import type { Paint } from './paint.js';
import { pathText } from './printable.js';
import type { ExtractSummary, FileReport, ProgressReport, Reporter } from './reporter.js';
import { Screen } from './screen.js';

/** What a program wants to read, and where. */
export interface JsonSettings {
  /** Where the JSON lines go. */
  results: OutputStream;
  /** Where errors and warnings go as text, too. */
  problems: OutputStream;
  paint: Paint;
  /** Also say how far the reading has come. */
  progress: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** What JSON allows as it is but a terminal may act on, or not show. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

function escapeUnits(characters: string): string {
  return characters
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

/** One JSON line. Fields that are undefined are left out; the text is safe on a terminal and the same to a parser. */
export function jsonLine(type: string, fields: Fields): string {
  return `${JSON.stringify({ type, ...fields }).replace(UNSAFE, escapeUnits)}\n`;
}

/** A stored path as its best reading, and its exact bytes where that is not all. */
function pathFields(path: string | undefined, name: 'path' | 'partial' = 'path'): Fields {
  if (path === undefined) return {};
  const { text, base64 } = pathText(path);
  return { [name]: text, [`${name}Base64`]: base64 };
}

/** The fields of an error, empty lists left out. */
export function errorFields(error: XbstreamError): Fields {
  const { code, path, message, partial, archiveOffset, systemCode, details, hints } = error;
  return {
    code,
    ...pathFields(path),
    message,
    ...pathFields(partial, 'partial'),
    archiveOffset,
    systemCode,
    details: details.length > 0 ? details : undefined,
    hints: hints.length > 0 ? hints : undefined,
  };
}

/** The printer for programs: JSON lines. */
export class JsonReporter implements Reporter {
  readonly #settings: JsonSettings;
  readonly #screen = new Screen();

  constructor(settings: JsonSettings) {
    this.#settings = settings;
  }

  readonly wantsFiles = true;

  file({ path, bytes }: FileReport): void {
    this.#screen.list(this.#settings.results, jsonLine('file', { ...pathFields(path), bytes }));
  }

  warning(message: string): void {
    const { results, problems, paint } = this.#settings;
    this.#screen.write(results, jsonLine('warning', { message }));
    this.#screen.write(problems, warningText(message, paint));
  }

  error(error: XbstreamError): void {
    const { results, problems, paint } = this.#settings;
    this.#screen.write(results, jsonLine('error', errorFields(error)));
    this.#screen.write(problems, errorText(error, paint));
  }

  progress({ bytes, totalBytes }: ProgressReport): void {
    if (this.#settings.progress)
      this.#screen.write(this.#settings.results, jsonLine('progress', { bytes, totalBytes }));
  }

  extracted(summary: ExtractSummary): void {
    const { ok, files, bytes, keptFiles, dryRun, freeBytes, digests } = summary;
    this.#screen.write(
      this.#settings.results,
      jsonLine('summary', {
        ok,
        files,
        bytes,
        keptFiles: keptFiles > 0 ? keptFiles : undefined,
        dryRun: dryRun ? true : undefined,
        freeBytes,
        digests: Object.keys(digests).length > 0 ? digests : undefined,
      }),
    );
  }

  close(): void {
    this.#screen.close();
  }
}
