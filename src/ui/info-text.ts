import { printable, printablePath } from './printable.js';
import type { BackupDescription, InfoReporter } from './reporter.js';
import { TextPrinter, type PrinterSettings } from './text-printer.js';
import { formatBytes, formatCount } from './units.js';

export interface InfoTextSettings extends PrinterSettings {
  /** No advice. */
  quiet: boolean;
}

const COLUMN = 14;

/** A description of a backup for people. */
export class InfoTextReporter extends TextPrinter implements InfoReporter {
  readonly #settings: InfoTextSettings;

  constructor(settings: InfoTextSettings) {
    super(settings);
    this.#settings = settings;
  }

  described(description: BackupDescription): void {
    for (const [heading, text] of lines(description)) {
      if (text !== undefined) this.list(`${`${heading}:`.padEnd(COLUMN)}${printable(text)}\n`);
    }
    for (const { path, reason } of description.unread) {
      this.list(`${'not read:'.padEnd(COLUMN)}${printablePath(path)}: ${printable(reason)}\n`);
    }
    const { paint, quiet } = this.#settings;
    if (quiet) return;
    description.next.forEach(({ purpose, command }, index) => {
      this.list(`${index === 0 ? '\nwhat to do next:\n' : ''}  ${index + 1}. ${printable(purpose)}\n`);
      this.list(`     ${paint.advice(printable(command))}\n`);
    });
  }
}

function lines(description: BackupDescription): [string, string | undefined][] {
  const { tool, toolVersion, serverVersion, serverFlavor, kind, partial, fromLsn, toLsn } = description;
  const { binlogFile, binlogPosition, gtid, compression, encrypted } = description;
  const { files, bytes, archiveBytes, complete, startTime, endTime } = description;
  const amount = `${formatCount(files, 'file')}, ${formatBytes(bytes)} (archive: ${formatBytes(archiveBytes)})`;
  return [
    ['backup', [partial === true ? 'partial' : undefined, kind ?? 'of unknown kind'].filter(Boolean).join(' ')],
    ['made by', joined(tool, toolVersion)],
    ['server', joined(serverVersion, serverFlavor)],
    ['name', description.name],
    ['uuid', description.uuid],
    ['started', startTime],
    ['ended', endTime],
    ['LSN', fromLsn === undefined && toLsn === undefined ? undefined : `${fromLsn ?? '?'} to ${toLsn ?? '?'}`],
    ['binlog', joined(binlogFile, binlogPosition === undefined ? undefined : `position ${binlogPosition}`)],
    ['GTID', gtid],
    ['compression', compression.length === 0 ? 'none' : compression.join(', ')],
    ['encryption', encrypted ? 'xbcrypt' : 'none'],
    ['content', `${amount}${complete ? '' : '; NOT WHOLE'}`],
  ];
}

function joined(...parts: readonly (string | undefined)[]): string | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.join(' ');
}
