/** What to do with a backup that is whole, in order. */
import type { BackupDescription, NextStep } from '../ui/reporter.js';
import { importTables, type ImportFacts } from './import-tables.js';
import { meaningsOf, OWN, step } from './step.js';
import { isFrom } from './version.js';

/** What of a backup decides what is to be done with it. */
export type BackupFacts = ImportFacts &
  Pick<
    BackupDescription,
    'tool' | 'toolCommand' | 'kind' | 'prepared' | 'fromLsn' | 'compression' | 'encrypted' | 'serverSettings'
  > & {
    /** The archive as it was named. */
    archive: string;
    /** It holds some tables only, and no server starts on it: they are brought into one that runs. */
    importsTables: boolean;
    /** What an import needs is there. */
    isExported: boolean;
  };

/** What to do with a backup. */
export interface Recipe {
  next: readonly NextStep[];
  placeholders: Readonly<Record<string, string>>;
}

export const NO_RECIPE: Recipe = { next: [], placeholders: {} };

export function recipe(facts: BackupFacts): Recipe {
  const next = [...steps(facts)];
  return { next, placeholders: meaningsOf(next) };
}

function* steps(facts: BackupFacts): Iterable<NextStep> {
  const isIncremental = facts.kind === 'incremental';
  yield unpack(facts, isIncremental ? '{INCREMENTAL}' : '{DIR}');
  if (isIncremental) yield* prepareIncremental(facts);
  else if (facts.importsTables ? !facts.isExported : facts.prepared !== true) yield prepareFull(facts);
  yield* facts.importsTables ? importTables(facts) : copyBack(facts);
}

function unpack({ archive, encrypted, compression }: BackupFacts, directory: string): NextStep {
  const decoding = [
    ...(encrypted ? ['--encrypt-key-file={KEYFILE}'] : []),
    ...(compression.length > 0 ? ['--decompress'] : []),
  ];
  const doing = ['unpack', ...(encrypted ? ['decrypt'] : []), ...(compression.length > 0 ? ['decompress'] : [])];
  return step(doing.join(', '), ['tsxbstream', 'extract', archive, '-C', directory, ...decoding], { archive });
}

/** Whether MariaDB's tool made it: only that one prepares it. */
function isByMariadb({ tool, toolVersion, system }: BackupFacts): boolean {
  if (tool === undefined) return system === 'MariaDB';
  return /maria/i.test(`${tool} ${toolVersion ?? ''}`);
}

interface Tool {
  name: string;
  advice: string;
  /** A prepare rolls back what was not committed, after which no increment can be added, unless it is told not to. */
  rollsBack: boolean;
}

function toolOf(facts: BackupFacts): Tool {
  const version = facts.toolVersion;
  if (!isByMariadb(facts)) {
    const advice = version === undefined ? 'xtrabackup' : `xtrabackup ${version} or newer of its series`;
    return {
      name: 'xtrabackup',
      advice: facts.system === 'MariaDB' ? `Percona's ${advice}` : advice,
      rollsBack: true,
    };
  }
  const series = /\d{1,4}\.\d{1,4}/.exec(version ?? facts.serverVersion ?? '')?.[0];
  const isBefore = (minor: number): boolean => isFrom(series, 10, minor) === false;
  const name = isBefore(5) ? 'mariabackup' : 'mariadb-backup';
  // Since 10.2 it leaves that to the server.
  return { name, advice: series === undefined ? name : `${name} ${series}`, rollsBack: isBefore(2) };
}

/** What tells xtrabackup where the keys are: it does not read the server's options. */
const KEYRING_OPTIONS: Readonly<Record<string, string>> = {
  keyring_file: '--keyring-file-data=FILE',
  keyring_vault: '--keyring-vault-config=FILE',
  // A component: backup-my.cnf names none.
  keyring: '--component-keyring-config=FILE, or of a plugin --keyring-file-data=FILE or --keyring-vault-config=FILE',
};

/** Its tablespaces have got another key, one that was made for the backup. */
function hasTransitionKey({ toolCommand }: BackupFacts): boolean {
  return /--(?:generate[-_])?transition[-_]key/.test(toolCommand ?? '');
}

/** Where keys are needed, that they are. */
function keysFor(facts: BackupFacts): string {
  const { keyPlugin } = facts;
  if (keyPlugin === undefined) return '';
  const { name, settings } = keyPlugin;
  if (!isByMariadb(facts)) {
    const said = KEYRING_OPTIONS[name];
    const keys = `; its files are encrypted: say where its keys are${said === undefined ? `, which were those of ${name}` : ` (${said})`}`;
    return hasTransitionKey(facts) ? `${keys}, or --transition-key=... as the backup was taken with` : keys;
  }
  const where = settings.length === 0 ? '' : ` (${settings.join(', ')})`;
  return `; its files are encrypted: ${name}${where} is loaded as backup-my.cnf in DIR says, and must find its keys`;
}

function prepareFull(facts: BackupFacts): NextStep {
  const { name, advice } = toolOf(facts);
  const purpose = `prepare${facts.importsTables ? ' its tables for an import' : ''}, with ${advice}${keysFor(facts)}`;
  return step(purpose, [name, '--prepare', ...exporting(facts), '--target-dir={DIR}']);
}

function exporting({ importsTables }: BackupFacts): string[] {
  return importsTables ? ['--export'] : [];
}

function* prepareIncremental(facts: BackupFacts): Iterable<NextStep> {
  const { name, advice, rollsBack } = toolOf(facts);
  const { fromLsn } = facts;
  const hold = rollsBack ? ['--apply-log-only'] : [];
  const prepare = [name, '--prepare'];
  yield step(`prepare the full backup that came first, unpacked in DIR, with ${advice}${keysFor(facts)}`, [
    ...prepare,
    ...hold,
    '--target-dir={DIR}',
  ]);
  const chain =
    fromLsn === undefined
      ? 'each begins where the one before it ends (xtrabackup_checkpoints tells)'
      : `each begins at the LSN where the one before it ends, and the last of all before this one ends at LSN ${fromLsn}`;
  yield step(
    `add every increment that was taken between the full backup and this one, unpacked, the oldest first; ${chain}`,
    [...prepare, ...hold, '--target-dir={DIR}', '--incremental-dir={BETWEEN}'],
    { each: 'BETWEEN' },
  );
  yield step(`add this one${hold.length === 0 ? '' : ' (with --apply-log-only, if another follows)'}`, [
    ...prepare,
    ...exporting(facts),
    '--target-dir={DIR}',
    '--incremental-dir={INCREMENTAL}',
  ]);
}

function* copyBack(facts: BackupFacts): Iterable<NextStep> {
  yield* giveSettings(facts);
  if (facts.hasLinks) {
    yield step(
      'make the directories in which tables lie outside of DATADIR; what is there of such tables is moved away: nothing is written over it',
      ['mkdir', '-p', '{ELSEWHERE}'],
      { each: 'ELSEWHERE' },
    );
  }
  // The server knows nothing of a key that was made for the backup.
  const anew =
    !isByMariadb(facts) && hasTransitionKey(facts)
      ? '; add --generate-new-master-key, and the options that say where the keys of the backup and of the server are'
      : '';
  yield step(`put it in place, on a stopped server with an empty data directory${anew}`, [
    toolOf(facts).name,
    '--copy-back',
    '--target-dir={DIR}',
    '--datadir={DATADIR}',
  ]);
  const keys = facts.keyPlugin === undefined ? '' : `; the server needs ${facts.keyPlugin.name} and its keys to start`;
  yield step(`give it to the server's user: all that was made so far belongs to who made it${keys}`, [
    ...OWN,
    '{DATADIR}',
  ]);
  if (!facts.hasLinks) return;
  yield step('and the tables outside of it', [...OWN, '{ELSEWHERE}'], { each: 'ELSEWHERE' });
}

/** Programs that put files in their places read the server's settings, too: before those do. */
function* giveSettings({ serverSettings }: BackupFacts): Iterable<NextStep> {
  if (serverSettings.length === 0) return;
  // What else stands in that file is not for every server: some of it is unknown to MySQL.
  const names = serverSettings.map((setting) => setting.slice(0, setting.indexOf('=')));
  const lines = `^(\\[(mysqld|mariadbd)\\]|(${names.join('|')})=)`;
  yield step(`give the server what it does not start on these files without: ${serverSettings.join(', ')}`, [
    ...['sed', '-nE', `/${lines}/w {SETTINGS}`],
    '{DIR}/backup-my.cnf',
  ]);
}
