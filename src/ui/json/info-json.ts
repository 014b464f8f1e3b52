import { pathFields, type Fields } from './json-line.js';
import { JsonPrinter } from './json-printer.js';
import type { BackupDescription, InfoReporter } from '../reporter.js';

/** A description of a backup for programs: one line. */
export class InfoJsonReporter extends JsonPrinter implements InfoReporter {
  described(description: BackupDescription, ok: boolean): void {
    this.conclude('info', infoFields(description, ok));
  }
}

/** What the line says. @param ok nothing is wrong with the archive */
export function infoFields({ unread, ...description }: BackupDescription, ok: boolean): Fields {
  return {
    ok,
    ...description,
    unread: unread.length === 0 ? undefined : unread.map(({ path, reason }) => ({ ...pathFields(path), reason })),
  };
}
