import { printable, printablePath } from '../printable.js';
import type { ListedCorrection, ListedEntry, Listing, ListReporter } from '../reporter.js';
import { TextPrinter, type PrinterSettings } from './text-printer.js';
import { formatBytes, formatCount } from '../units.js';

export interface ListTextSettings extends PrinterSettings {
  /** Sizes as people read them, rather than in bytes. */
  humanSizes: boolean;
  /** No totals. */
  quiet: boolean;
}

const NO_LAYERS = '-';

/** A listing for people: a line for each file, its name last; with `verbose` also chunks, positions and corrections. */
export class ListTextReporter extends TextPrinter implements ListReporter {
  readonly #settings: ListTextSettings;

  constructor(settings: ListTextSettings) {
    super(settings);
    this.#settings = settings;
  }

  listed(listing: Listing): void {
    const { verbose, quiet } = this.#settings;
    const widths = this.#widths(listing);
    for (const entry of listing.entries) this.list(this.#line(entry, widths));
    if (verbose) for (const correction of listing.corrections) this.list(correctionLine(correction));
    this.conclude(quiet ? '' : this.#totals(listing));
  }

  #line(entry: ListedEntry, widths: Widths): string {
    const { path, bytes, chunks, archiveOffset, complete } = entry;
    const columns = [this.#size(bytes).padStart(widths.size)];
    if (this.#settings.verbose) {
      columns.push(String(chunks).padStart(widths.chunks), String(archiveOffset).padStart(widths.offset));
    }
    columns.push(complete ? 'whole  ' : 'DAMAGED', layersText(entry).padEnd(widths.layers), printablePath(path));
    return `${columns.join('  ')}\n`;
  }

  #totals({ entries, bytes, chunks, archiveBytes, wrappers, complete }: Listing): string {
    const archive = `${formatCount(chunks, 'chunk')}, ${this.#size(archiveBytes)} of archive${insideText(wrappers)}`;
    const state = complete ? '' : '; NOT WHOLE';
    return `${formatCount(entries.length, 'file')}, ${this.#size(bytes)} (${archive})${state}\n`;
  }

  #size(bytes: number): string {
    return this.#settings.humanSizes ? formatBytes(bytes) : String(bytes);
  }

  #widths({ entries }: Listing): Widths {
    const widths: Widths = { size: 0, chunks: 0, offset: 0, layers: 0 };
    for (const entry of entries) {
      widths.size = Math.max(widths.size, this.#size(entry.bytes).length);
      widths.chunks = Math.max(widths.chunks, String(entry.chunks).length);
      widths.offset = Math.max(widths.offset, String(entry.archiveOffset).length);
      widths.layers = Math.max(widths.layers, layersText(entry).length);
    }
    return widths;
  }
}

function insideText(wrappers: readonly string[]): string {
  return wrappers.length === 0 ? '' : ` inside ${wrappers.join(', ')}`;
}

interface Widths {
  size: number;
  chunks: number;
  offset: number;
  layers: number;
}

function layersText({ layers, sparse }: ListedEntry): string {
  const all = sparse ? [...layers, 'sparse'] : layers;
  return all.length === 0 ? NO_LAYERS : all.join(',');
}

function correctionLine({ kind, path, newPath, archiveOffset, effective }: ListedCorrection): string {
  const what = {
    remove: `removes ${printablePath(path)}`,
    rename: `renames ${printablePath(path)} to ${printablePath(newPath ?? '')}`,
    rewrite: `rewrites ${printablePath(path)}`,
  }[kind];
  return (
    printable(`correction at archive byte ${archiveOffset}: ${what}${effective ? '' : ' (there is no such file)'}`) +
    '\n'
  );
}
