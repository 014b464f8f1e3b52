/** A step of a recipe: what it is for, and its command. */
import { shellWord } from '../format/shell-word.js';
import type { NextStep } from '../ui/reporter.js';

/** What words in commands stand for. In `argv` they are in braces. */
const PLACEHOLDERS = {
  DIR: 'the directory that the full backup is unpacked in',
  INCREMENTAL: 'the directory that this increment is unpacked in',
  BETWEEN: 'the directory that another increment is unpacked in',
  KEYFILE: 'the file with the key that the backup was encrypted with',
  DATADIR: "the server's data directory",
  SETTINGS:
    'a new file among those that the server reads its options from, as /etc/mysql/mariadb.conf.d/99-backup.cnf: one that is there would be overwritten',
  ELSEWHERE:
    'a directory outside of DATADIR that the backup names, in an .isl file or xtrabackup_tablespaces: look at each before you do this',
  DB: 'a database; in names of files special characters are written as in the backup',
  TABLE: 'a table of it, likewise',
  DEFINITION: "a file with the table's CREATE TABLE statement (SHOW CREATE TABLE prints it)",
  ENCRYPTED: 'a table, or the file of a partition, that is encrypted',
  FULLTEXT: 'a table that has a full-text index (SHOW CREATE TABLE says so)',
  BARE_DEFINITION:
    'a file with its CREATE TABLE statement, without foreign keys and without all indexes but the primary key',
  INDEXES:
    'what was left out, as ADD KEY (a), ADD FULLTEXT KEY (b); the second full-text index and all others in a statement each',
  PARTITIONED: 'a table that has partitions',
  PARTITION: 'a partition of it, by its name, as p0; its files show how that is written, and that of a subpartition',
  PARTITION_FILE: 'the file of a partition, as it is called in the backup, without .ibd',
} as const;
export type Placeholder = keyof typeof PLACEHOLDERS;

/** What the placeholders in these steps stand for. */
export function meaningsOf(steps: readonly NextStep[]): Record<string, string> {
  const words = steps.flatMap(({ argv }) => argv.slice(argv[0] === 'tsxbstream' ? 3 : 1)).join(' ');
  const used = (Object.keys(PLACEHOLDERS) as Placeholder[]).filter((name) => words.includes(`{${name}}`));
  return Object.fromEntries(used.map((name) => [name, PLACEHOLDERS[name]]));
}

/** @param archive the one word in which braces stand for themselves */
export function step(
  purpose: string,
  argv: readonly string[],
  more: { each?: Placeholder; archive?: string } = {},
): NextStep {
  const { each, archive } = more;
  const shown = argv.map((word) => shellWord(word === archive ? word : word.replace(/\{(\w+)\}/g, '$1')));
  return { purpose, command: shown.join(' '), argv, ...(each === undefined ? {} : { each }) };
}

/** Gives what follows to the server's user. */
export const OWN = ['chown', '-R', 'mysql:mysql'];
