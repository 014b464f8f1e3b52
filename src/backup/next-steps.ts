import { shellWord } from '../format/shell-word.js';
import type { BackupDescription, NextStep } from '../ui/reporter.js';

/** What of a backup decides what is to be done with it. */
export type BackupFacts = Pick<
  BackupDescription,
  | 'tool'
  | 'toolVersion'
  | 'serverVersion'
  | 'system'
  | 'kind'
  | 'prepared'
  | 'fromLsn'
  | 'toLsn'
  | 'compression'
  | 'encrypted'
  | 'keyPlugin'
  | 'serverSettings'
> & {
  /** The archive as it was named. */
  archive: string;
  /** It holds some tables only, and no server starts on it: they are brought into one that runs. */
  importsTables: boolean;
  /** What an import needs is there. */
  isExported: boolean;
  /** Some of its tablespaces lie outside of the data directory. */
  hasLinks: boolean;
};

/** What words in commands stand for. In `argv` they are in braces. */
const PLACEHOLDERS = {
  DIR: 'the directory that the full backup is unpacked in',
  INCREMENTAL: 'the directory that this increment is unpacked in',
  BETWEEN: 'the directory that another increment is unpacked in',
  KEYFILE: 'the file with the key that the backup was encrypted with',
  DATADIR: "the server's data directory",
  SETTINGS:
    'a new file among those that the server reads its options from, as /etc/mysql/mariadb.conf.d/99-backup.cnf: one that is there would be overwritten',
  ELSEWHERE: 'a directory outside of DATADIR that an .isl file of the backup names: look at each before you do this',
  DB: 'a database; in names of files special characters are written as in the backup',
  TABLE: 'a table of it, likewise',
  DEFINITION: "a file with the table's CREATE TABLE statement (SHOW CREATE TABLE prints it)",
} as const;
type Placeholder = keyof typeof PLACEHOLDERS;

/** What to do with a backup. */
export interface Recipe {
  next: readonly NextStep[];
  placeholders: Readonly<Record<string, string>>;
}

export const NO_RECIPE: Recipe = { next: [], placeholders: {} };

/** What to do with a backup that is whole, in order. */
export function recipe(facts: BackupFacts): Recipe {
  const next = [...steps(facts)];
  const words = next.flatMap(({ argv }) => argv.slice(argv[0] === 'tsxbstream' ? 3 : 1)).join(' ');
  const used = (Object.keys(PLACEHOLDERS) as Placeholder[]).filter((name) => words.includes(`{${name}}`));
  return { next, placeholders: Object.fromEntries(used.map((name) => [name, PLACEHOLDERS[name]])) };
}

function* steps(facts: BackupFacts): Iterable<NextStep> {
  const isIncremental = facts.kind === 'incremental';
  yield unpack(facts, isIncremental ? '{INCREMENTAL}' : '{DIR}');
  if (isIncremental) yield* prepareIncremental(facts);
  else if (facts.importsTables ? !facts.isExported : facts.prepared !== true) yield prepareFull(facts);
  yield* facts.importsTables ? importTables(facts) : copyBack(facts);
}

/** @param archive the one word in which braces stand for themselves */
function step(purpose: string, argv: readonly string[], more: { each?: Placeholder; archive?: string } = {}): NextStep {
  const { each, archive } = more;
  const shown = argv.map((word) => shellWord(word === archive ? word : word.replace(/\{(\w+)\}/g, '$1')));
  return { purpose, command: shown.join(' '), argv, ...(each === undefined ? {} : { each }) };
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
  const [major = Infinity, minor = 0] = (series ?? '').split('.').filter(Boolean).map(Number);
  const isBefore = (other: number): boolean => major < 10 || (major === 10 && minor < other);
  const name = isBefore(5) ? 'mariabackup' : 'mariadb-backup';
  // Since 10.2 it leaves that to the server.
  return { name, advice: series === undefined ? name : `${name} ${series}`, rollsBack: isBefore(2) };
}

/** Where keys are needed, that they are. */
function keysFor({ keyPlugin }: BackupFacts, directory: string): string {
  if (keyPlugin === undefined) return '';
  const { name, settings } = keyPlugin;
  const where = settings.length === 0 ? '' : ` (${settings.join(', ')})`;
  return `; its files are encrypted: ${name}${where} is loaded as backup-my.cnf in ${directory} says, and must find its keys`;
}

function prepareFull(facts: BackupFacts): NextStep {
  const { name, advice } = toolOf(facts);
  const purpose = `prepare${facts.importsTables ? ' its tables for an import' : ''}, with ${advice}${keysFor(facts, 'DIR')}`;
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
  yield step(`prepare the full backup that came first, unpacked in DIR, with ${advice}${keysFor(facts, 'DIR')}`, [
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
  yield* settle(facts);
  if (facts.hasLinks) {
    yield step(
      'make the directories in which tables lie outside of DATADIR; what is there of such tables is moved away: nothing is written over it',
      ['mkdir', '-p', '{ELSEWHERE}'],
      { each: 'ELSEWHERE' },
    );
  }
  yield step('put it in place, on a stopped server with an empty data directory', [
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
function* settle({ serverSettings }: BackupFacts): Iterable<NextStep> {
  if (serverSettings.length === 0) return;
  // What else stands in that file is not for every server: some of it is unknown to MySQL.
  const names = serverSettings.map((setting) => setting.slice(0, setting.indexOf('=')));
  const lines = `^(\\[(mysqld|mariadbd)\\]|(${names.join('|')})=)`;
  yield step(`give the server what it does not start on these files without: ${serverSettings.join(', ')}`, [
    ...['sed', '-nE', `/${lines}/w {SETTINGS}`],
    '{DIR}/backup-my.cnf',
  ]);
}

const OWN = ['chown', '-R', 'mysql:mysql'];

/** Tables of other engines than InnoDB, whose files can be copied as they are, are few in such backups. */
function* importTables({ system, hasLinks, keyPlugin, toLsn }: BackupFacts): Iterable<NextStep> {
  const client = system === 'MariaDB' ? 'mariadb' : 'mysql';
  const sql = (what: string): string[] => [client, '-e', what];
  const each = { each: 'TABLE' } as const;
  const table = '`{DB}`.`{TABLE}`';
  yield step(
    'on a running server make each table of InnoDB as it was (tables of MyISAM and Aria need no more than their files)',
    [client, '{DB}', '-e', 'source {DEFINITION}'],
    each,
  );
  yield step(
    'have it give up its empty tablespace',
    sql(`SET foreign_key_checks=0; ALTER TABLE ${table} DISCARD TABLESPACE`),
    each,
  );
  const files = ['{DIR}/{DB}/{TABLE}.ibd', '{DIR}/{DB}/{TABLE}.cfg'];
  const otherPlace = hasLinks ? ' (of a table that lies outside of DATADIR: where its .isl file says)' : '';
  yield step(`put that of the backup in its place${otherPlace}`, ['cp', ...files, '{DATADIR}/{DB}/'], each);
  yield step("give it to the server's user", [...OWN, '{DATADIR}/{DB}'], each);
  // Seen with 10.11; tables that are not encrypted are taken whatever their LSN.
  const later =
    system === 'MariaDB' && keyPlugin !== undefined
      ? `; an encrypted one only when its own LSN (SHOW ENGINE INNODB STATUS) is beyond that of the backup (${toLsn ?? 'to_lsn'}), until then it calls the table corrupt`
      : '';
  yield step(
    `have the server take it${later}`,
    sql(`SET foreign_key_checks=0; ALTER TABLE ${table} IMPORT TABLESPACE`),
    each,
  );
}
