import { pathFields } from './json-line.js';
import { JsonPrinter, type JsonSettings } from './json-printer.js';
import { exactPath } from '../printable.js';
import type { Listing, ListReporter } from '../reporter.js';

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
