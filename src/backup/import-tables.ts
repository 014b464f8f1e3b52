/** How the tables of a partial backup are brought into a server that runs. */
import type { BackupDescription, NextStep } from '../ui/reporter.js';
import { OWN, step, type Placeholder } from './step.js';
import { isFrom } from './version.js';

/** What of a backup decides how its tables are imported. */
export type ImportFacts = Pick<
  BackupDescription,
  'system' | 'serverVersion' | 'toolVersion' | 'keyPlugin' | 'toLsn'
> & {
  /** Some of its tablespaces lie outside of the data directory. */
  hasLinks: boolean;
  /** Some of its tables have partitions. */
  hasPartitions: boolean;
  /** Some of its tables have full-text indexes, whose content lies in tables of their own. */
  hasFullText: boolean;
};

/** Tables of other engines than InnoDB, whose files can be copied as they are, are few in such backups. */
export function* importTables(facts: ImportFacts): Iterable<NextStep> {
  yield* importWhole(facts);
  if (facts.system !== 'MariaDB') {
    if (facts.hasFullText) yield rebuildFullText(facts);
    return;
  }
  if (facts.hasFullText) yield* importFullText(facts);
  if (facts.hasPartitions) yield* importPartitions(facts);
}

function clientOf({ system, serverVersion, toolVersion }: ImportFacts): string {
  if (system !== 'MariaDB') return 'mysql';
  return isFrom(serverVersion ?? toolVersion, 10, 5) === false ? 'mysql' : 'mariadb';
}

function sql(facts: ImportFacts, ...statements: readonly string[]): string[] {
  return [clientOf(facts), '-e', statements.join('; ')];
}

const tableOf = (name: string): string => `\`{DB}\`.\`${name}\``;
const UNCHECKED = 'SET foreign_key_checks=0';

function make(facts: ImportFacts, purpose: string, each: Placeholder, definition: Placeholder): NextStep {
  return step(purpose, [clientOf(facts), '{DB}', '-e', `source {${definition}}`], { each });
}

function discard(facts: ImportFacts, each: Placeholder): NextStep {
  const statement = `ALTER TABLE ${tableOf(`{${each}}`)} DISCARD TABLESPACE`;
  return step('have it give up its empty tablespace', sql(facts, UNCHECKED, statement), { each });
}

function put({ hasLinks }: ImportFacts, names: readonly string[], each: Placeholder): NextStep {
  const otherPlace = hasLinks ? ' (of a table that lies outside of DATADIR: where its .isl file says)' : '';
  const files = names.map((name) => `{DIR}/{DB}/${name}`);
  return step(`put that of the backup in its place${otherPlace}`, ['cp', ...files, '{DATADIR}/{DB}/'], { each });
}

function own(each: Placeholder): NextStep {
  return step("give it to the server's user", [...OWN, '{DATADIR}/{DB}'], { each });
}

function take(facts: ImportFacts, each: Placeholder, note = ''): NextStep {
  const { system, keyPlugin, toLsn } = facts;
  // Seen with 10.11; tables that are not encrypted are taken whatever their LSN.
  const later =
    system === 'MariaDB' && keyPlugin !== undefined
      ? `; an encrypted one only when its own LSN (SHOW ENGINE INNODB STATUS) is beyond that of the backup (${toLsn ?? 'to_lsn'}), until then it calls the table corrupt`
      : '';
  const statement = `ALTER TABLE ${tableOf(`{${each}}`)} IMPORT TABLESPACE`;
  return step(`have the server take it${note}${later}`, sql(facts, UNCHECKED, statement), { each });
}

function* importWhole(facts: ImportFacts): Iterable<NextStep> {
  const { system, keyPlugin, hasPartitions, hasFullText } = facts;
  const isMariadb = system === 'MariaDB';
  const others = [...(hasFullText ? ['with a full-text index'] : []), ...(hasPartitions ? ['with partitions'] : [])];
  const but = isMariadb && others.length > 0 ? `, but those ${others.join(' and those ')}, which come below` : '';
  const each = 'TABLE';
  yield make(
    facts,
    `on a running server make each table of InnoDB as it was${but} (tables of MyISAM and Aria need no more than their files)`,
    each,
    'DEFINITION',
  );
  yield discard(facts, each);
  yield put(facts, ['{TABLE}.ibd', '{TABLE}.cfg'], each);
  if (!isMariadb && hasPartitions) {
    yield step(
      'of a table with partitions there are the files of these instead',
      ['cp', '{DIR}/{DB}/{PARTITION_FILE}.ibd', '{DIR}/{DB}/{PARTITION_FILE}.cfg', '{DATADIR}/{DB}/'],
      { each: 'PARTITION_FILE' },
    );
  }
  if (!isMariadb && keyPlugin !== undefined) {
    yield step(
      'and the key of each that is encrypted: that has a .cfp file, too',
      ['cp', '{DIR}/{DB}/{ENCRYPTED}.cfp', '{DATADIR}/{DB}/'],
      { each: 'ENCRYPTED' },
    );
  }
  yield own(each);
  yield take(facts, each);
}

/** As MySQL's manual has it. */
function rebuildFullText(facts: ImportFacts): NextStep {
  return step(
    'make the full-text indexes anew, which do not come with a table',
    sql(facts, `OPTIMIZE TABLE ${tableOf('{FULLTEXT}')}`),
    { each: 'FULLTEXT' },
  );
}

/**
 * As MariaDB's manual has it. With its full-text indexes such a table is taken, too, but those are broken: seen with 10.11,
 * where to make them anew then ended the server.
 */
function* importFullText(facts: ImportFacts): Iterable<NextStep> {
  const each = 'FULLTEXT';
  yield make(
    facts,
    'make each table with a full-text index, without any secondary index: full-text indexes do not come with a table',
    each,
    'BARE_DEFINITION',
  );
  yield discard(facts, each);
  yield put(facts, ['{FULLTEXT}.ibd'], each);
  yield own(each);
  yield take(facts, each, ' (it warns that there is no .cfg file: that would name the indexes)');
  yield step('make its indexes anew', sql(facts, `ALTER TABLE ${tableOf('{FULLTEXT}')} FORCE, {INDEXES}`), { each });
}

/** MariaDB imports no table with partitions, but each of these by way of a table. */
function* importPartitions(facts: ImportFacts): Iterable<NextStep> {
  const each = 'PARTITION';
  const stored = '{DIR}/{DB}/{PARTITIONED}#P#{PARTITION}';
  const name = '{PARTITIONED}_{PARTITION}';
  const [whole, single] = [tableOf('{PARTITIONED}'), tableOf(name)];
  yield make(facts, 'make each table with partitions as it was', 'PARTITIONED', 'DEFINITION');
  yield step(
    'for each of its partitions make a table of its own, which is to take it, and has no tablespace',
    sql(
      facts,
      `CREATE TABLE ${single} LIKE ${whole}`,
      `ALTER TABLE ${single} REMOVE PARTITIONING`,
      `ALTER TABLE ${single} DISCARD TABLESPACE`,
    ),
    { each },
  );
  for (const suffix of ['ibd', 'cfg']) {
    yield step(
      'put the partition of the backup in its place',
      ['cp', `${stored}.${suffix}`, `{DATADIR}/{DB}/${name}.${suffix}`],
      { each },
    );
  }
  yield own(each);
  yield step(
    'have the server take it, and put it in the place of the empty partition',
    sql(
      facts,
      `ALTER TABLE ${single} IMPORT TABLESPACE`,
      `ALTER TABLE ${whole} EXCHANGE PARTITION \`{PARTITION}\` WITH TABLE ${single}`,
      `DROP TABLE ${single}`,
    ),
    { each },
  );
}
