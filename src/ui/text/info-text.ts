import { printable, printablePath } from '../printable.js';
import type { BackupDescription, InfoReporter } from '../reporter.js';
import { TextPrinter, type PrinterSettings } from './text-printer.js';
import { formatBytes, formatCount } from '../units.js';

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
    for (const [heading, text] of infoLines(description)) {
      if (text === undefined) continue;
      const isDamaged = heading === 'content' && !description.complete;
      const shown = isDamaged ? this.paint.failure(printable(text)) : printable(text);
      this.list(`${`${heading}:`.padEnd(COLUMN)}${shown}\n`);
    }
    for (const { path, reason } of description.unread) {
      this.list(`${'not read:'.padEnd(COLUMN)}${printablePath(path)}: ${printable(reason)}\n`);
    }
    for (const what of description.missing) {
      this.list(`${this.paint.failure('missing:'.padEnd(COLUMN))}${printable(what)}\n`);
    }
    if (!this.#settings.quiet) this.#advise(description);
  }

  #advise({ next, placeholders, replication }: BackupDescription): void {
    const { paint } = this;
    next.forEach(({ purpose, command, each }, index) => {
      const often = each === undefined ? '' : ` (for each ${each})`;
      this.list(`${index === 0 ? '\nwhat to do next:\n' : ''}  ${index + 1}. ${printable(purpose)}${often}\n`);
      this.list(`     ${paint.advice(printable(command))}\n`);
    });
    for (const [name, meaning] of Object.entries(placeholders)) this.list(`  ${name}: ${meaning}\n`);
    replication.forEach(({ purpose, statements }, index) => {
      this.list(
        `${index === 0 ? '\nto have the restored server follow another (the other options as its source wants them):\n' : ''}  ${purpose}\n`,
      );
      for (const statement of statements) this.list(`     ${paint.advice(`${printable(statement)};`)}\n`);
    });
  }
}

/** What there is to tell of a backup, each with its heading; undefined where it is not known. */
export function infoLines(description: BackupDescription): [string, string | undefined][] {
  const { serverVersion, serverFlavor, fromLsn, toLsn, keyPlugin } = description;
  const { binlogFile, binlogPosition, gtid, compression, encrypted, serverSettings, elsewhere } = description;
  const { wrappers, files, bytes, archiveBytes, complete, startTime, endTime, kind } = description;
  const amount = `${formatCount(files, 'file')}, ${formatBytes(bytes)} (archive: ${formatBytes(archiveBytes)})`;
  return [
    ['backup', whatItIs(description)],
    ['made by', madeBy(description)],
    ['server', joined(serverVersion, serverFlavor) ?? byFiles(description)],
    ['name', description.name],
    ['uuid', description.uuid],
    ['started', startTime],
    ['ended', endTime],
    ['LSN', fromLsn === undefined && toLsn === undefined ? undefined : `${fromLsn ?? '?'} to ${toLsn ?? '?'}`],
    [
      'builds on',
      kind === 'incremental' ? `the backup that ends at LSN ${fromLsn ?? '?'}, and all before it` : undefined,
    ],
    ['binlog', joined(binlogFile, binlogPosition === undefined ? undefined : `position ${binlogPosition}`)],
    ['GTID', gtid],
    ['compression', compression.length === 0 ? 'none' : compression.join(', ')],
    ['encryption', encrypted ? 'xbcrypt' : 'none'],
    [
      'at rest',
      keyPlugin === undefined
        ? undefined
        : `encrypted by the server: ${[keyPlugin.name, ...keyPlugin.settings].join(', ')}`,
    ],
    ['settings', serverSettings.length === 0 ? undefined : serverSettings.join(', ')],
    ['elsewhere', elsewhere.length === 0 ? undefined : someOf(elsewhere)],
    ['wrapped in', wrappers.length === 0 ? undefined : wrappers.join(', ')],
    ['content', `${amount}${complete ? '' : `; NOT WHOLE`}`],
  ];
}

function whatItIs({ state, complete, kind, partial, prepared }: BackupDescription): string {
  if (state === 'no backup') return complete ? 'none' : 'of unknown kind';
  const words = [partial === true ? 'partial' : undefined, prepared === true ? 'prepared' : undefined];
  const known = [...words, kind ?? 'of unknown kind'].filter((word) => word !== undefined).join(' ');
  return state === 'finished' ? known : `${known}, ${state}`;
}

/** Percona's tool has backed up MariaDB, too, as long as it could. */
function madeBy({ tool, toolVersion, system }: BackupDescription): string | undefined {
  const program = joined(tool, toolVersion);
  const isOther = program !== undefined && !/maria/i.test(program) && system === 'MariaDB';
  return isOther ? `${program} (Percona's program, of a MariaDB server)` : program;
}

function byFiles({ system }: BackupDescription): string | undefined {
  return system === undefined ? undefined : `${system}, by its files`;
}

/** The most directories that are named. */
const SHOWN = 5;

function someOf(directories: readonly string[]): string {
  const shown = `tables in ${directories.slice(0, SHOWN).join(', ')}`;
  return directories.length > SHOWN ? `${shown} and ${directories.length - SHOWN} more directories` : shown;
}

function joined(...parts: readonly (string | undefined)[]): string | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.join(' ');
}
