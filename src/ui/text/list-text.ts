import { printable, printablePath } from '../printable.js';
import type { ListedCorrection, ListedEntry, Listing, ListReporter } from '../reporter.js';
import { TextPrinter, type PrinterSettings } from './text-printer.js';
import { formatBytes, formatCount } from '../units.js';

export interface ListTextSettings extends PrinterSettings {
  /** Sizes as people read them, rather than in bytes. */
  humanSizes: boolean;
  /** No totals. */
  quiet: boolean;
  /** Name the columns: for people, not for a program that reads lines. */
  header: boolean;
}

const NO_LAYERS = '-';
const DAMAGED = 'DAMAGED';
const CUT = 'cut';

/** A listing for people: a line for each file, its name last; with `verbose` also chunks, positions and corrections. */
export class ListTextReporter extends TextPrinter implements ListReporter {
  readonly #settings: ListTextSettings;

  constructor(settings: ListTextSettings) {
    super(settings);
    this.#settings = settings;
  }

  listed(listing: Listing): void {
    const { verbose, quiet, header } = this.#settings;
    const rows = listing.entries.map((entry) => this.#row(entry));
    if (header && !quiet && rows.length > 0) rows.unshift(HEADER);
    const widths = widthsOf(rows);
    for (const row of rows) this.list(this.#line(row, widths));
    if (verbose) for (const correction of listing.corrections) this.list(correctionLine(correction));
    this.conclude(quiet ? '' : this.#totals(listing));
  }

  #row(entry: ListedEntry): Row {
    const { path, bytes, chunks, archiveOffset } = entry;
    return {
      size: this.#size(bytes),
      chunks: String(chunks),
      offset: String(archiveOffset),
      state: stateText(entry),
      layers: layersText(entry),
      name: printablePath(path),
    };
  }

  #line({ size, chunks, offset, state, layers, name }: Row, widths: Widths): string {
    const more = [chunks.padStart(widths.chunks), offset.padStart(widths.offset)];
    const columns = [
      size.padStart(widths.size),
      ...(this.#settings.verbose ? more : []),
      this.#painted(state),
      layers.padEnd(widths.layers),
      name,
    ];
    return `${columns.join('  ')}\n`;
  }

  /** Padded first: colours have no width. */
  #painted(state: string): string {
    const text = state.padEnd(STATE_WIDTH);
    if (state === DAMAGED) return this.paint.failure(text);
    return state === CUT ? this.paint.caution(text) : text;
  }

  #totals({ entries, bytes, chunks, archiveBytes, wrappers, complete }: Listing): string {
    const unit = this.#settings.humanSizes ? '' : ' bytes';
    const inside = `${this.#size(archiveBytes)}${unit} of archive${insideText(wrappers)}`;
    const state = complete ? '' : `; ${this.paint.failure('NOT WHOLE')}`;
    const files = `${formatCount(entries.length, 'file')}, ${this.#size(bytes)}${unit}`;
    return `${files} (${formatCount(chunks, 'chunk')}, ${inside})${state}\n`;
  }

  #size(bytes: number): string {
    return this.#settings.humanSizes ? formatBytes(bytes) : String(bytes);
  }
}

function insideText(wrappers: readonly string[]): string {
  return wrappers.length === 0 ? '' : ` inside ${wrappers.join(', ')}`;
}

/** The columns of a line. */
interface Row {
  size: string;
  chunks: string;
  /** Where the archive first mentions it. */
  offset: string;
  state: string;
  layers: string;
  name: string;
}

/** The columns that are as wide as what is longest in them. */
const FITTED = ['size', 'chunks', 'offset', 'layers'] as const;
type Widths = Record<(typeof FITTED)[number], number>;

const HEADER: Row = {
  size: 'SIZE',
  chunks: 'CHUNKS',
  offset: 'OFFSET',
  state: 'STATE',
  layers: 'LAYERS',
  name: 'NAME',
};
/** Of the longest state, so that a listing has the same form whether there is damage or not. */
const STATE_WIDTH = DAMAGED.length;

function widthsOf(rows: readonly Row[]): Widths {
  const widths: Widths = { size: 0, chunks: 0, offset: 0, layers: 0 };
  for (const row of rows) {
    for (const column of FITTED) widths[column] = Math.max(widths[column], row[column].length);
  }
  return widths;
}

function stateText({ complete, cut }: ListedEntry): string {
  if (complete) return 'whole';
  return cut ? CUT : DAMAGED;
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
