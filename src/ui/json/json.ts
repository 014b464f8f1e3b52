import { pathFields } from './json-line.js';
import { JsonPrinter } from './json-printer.js';
import type {
  DecodeReporter,
  DecodeSummary,
  ExtractSummary,
  FileReport,
  MadeSummary,
  MakeReporter,
  Reporter,
} from '../reporter.js';

/** The printer for programs of the verbs that go from file to file: JSON lines. */
export class JsonReporter extends JsonPrinter implements Reporter, MakeReporter, DecodeReporter {
  readonly wantsFiles = true;

  file({ path, bytes }: FileReport): void {
    this.list('file', { ...pathFields(path), bytes });
  }

  extracted(summary: ExtractSummary): void {
    const { ok, files, bytes, keptFiles, dryRun, freeBytes, digests, lost = [], lostCount = 0, archiveBytes } = summary;
    for (const path of lost) this.list('lost', pathFields(path));
    this.conclude('summary', {
      ok,
      files,
      bytes,
      lostFiles: lostCount > 0 ? lostCount : undefined,
      keptFiles: keptFiles > 0 ? keptFiles : undefined,
      dryRun: dryRun ? true : undefined,
      freeBytes,
      digests: Object.keys(digests).length > 0 ? digests : undefined,
      archiveBytes,
    });
  }

  made({ ok, files, bytes, outputBytes, archiveBytes }: MadeSummary): void {
    this.conclude('summary', { ok, files, bytes, outputBytes, archiveBytes });
  }

  decoded({ ok, files, bytes, keptFiles, archiveBytes }: DecodeSummary): void {
    this.conclude('summary', { ok, files, bytes, keptFiles: keptFiles > 0 ? keptFiles : undefined, archiveBytes });
  }
}
