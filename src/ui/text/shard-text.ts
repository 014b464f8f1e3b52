import type { ShardReporter, ShardSummary } from '../reporter.js';
import { formatBytes, formatCount } from '../units.js';
import { TextPrinter, type PrinterSettings } from './text-printer.js';

/** Prints what was found in a shard: the result goes to stdout as it is, a line about it to people. */
export class ShardTextReporter extends TextPrinter implements ShardReporter {
  readonly #quiet: boolean;

  constructor(settings: PrinterSettings & { quiet: boolean }) {
    super(settings);
    this.#quiet = settings.quiet;
  }

  shardChecked({ shard, shards, chunks, bytes, result }: ShardSummary): void {
    for (const piece of result) this.list(piece);
    if (!this.#quiet)
      this.status(`shard ${shard}/${shards}: ${formatCount(chunks, 'chunk')} (${formatBytes(bytes)}) were checked`);
  }
}
