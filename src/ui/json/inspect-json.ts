/** The printers for programs of the verbs that look into an archive. */
import { pathFields, type JsonFields } from './json-line.js';
import { JsonPrinter, type JsonSettings } from './json-printer.js';
import { exactPath } from '../printable.js';
import type {
  BackupDescription,
  InfoReporter,
  Listing,
  ListReporter,
  Verification,
  VerifyReporter,
} from '../reporter.js';

/** A listing for programs; with `verbose` also positions and corrections. */
export class ListJsonReporter extends JsonPrinter implements ListReporter {
  readonly #settings: JsonSettings;

  constructor(settings: JsonSettings) {
    super(settings);
    this.#settings = settings;
  }

  listed(listing: Listing, ok: boolean): void {
    const { verbose } = this.#settings;
    for (const { path, bytes, chunks, complete, cut, sparse, layers, archiveOffset } of listing.entries) {
      const more = { cut: cut ? true : undefined, archiveOffset: verbose ? archiveOffset : undefined };
      this.list('entry', { ...pathFields(path), bytes, chunks, complete, sparse, layers, ...more });
    }
    for (const { kind, path, newPath, archiveOffset, effective } of verbose ? listing.corrections : []) {
      const target = newPath === undefined ? undefined : exactPath(newPath);
      this.list('correction', {
        kind,
        ...pathFields(path),
        newPath: target?.text,
        newPathBase64: target?.base64,
        archiveOffset,
        effective,
      });
    }
    const { entries, bytes, chunks, archiveBytes, wrappers, complete } = listing;
    this.conclude('summary', { ok, entries: entries.length, bytes, chunks, archiveBytes, wrappers, complete });
  }
}

/** A verification for programs. */
export class VerifyJsonReporter extends JsonPrinter implements VerifyReporter {
  verified({ ok, entries, bytes, problems, problemCount, digests, archiveBytes, report }: Verification): void {
    this.problems(problems);
    const found = Object.keys(digests).length > 0 ? digests : undefined;
    this.conclude('summary', {
      ok,
      entries,
      bytes,
      problems: problemCount,
      digests: found,
      archiveBytes,
      outputBytes: report?.bytes,
    });
  }
}

/** A description of a backup for programs: one line. */
export class InfoJsonReporter extends JsonPrinter implements InfoReporter {
  described(description: BackupDescription, ok: boolean): void {
    this.conclude('info', infoFields(description, ok));
  }
}

/** What the line says. @param ok nothing is wrong with the archive */
export function infoFields({ unread, ...description }: BackupDescription, ok: boolean): JsonFields {
  return {
    ok,
    ...description,
    unread: unread.length === 0 ? undefined : unread.map(({ path, reason }) => ({ ...pathFields(path), reason })),
  };
}
