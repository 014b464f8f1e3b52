/** Tables out of a backup, brought into a server that runs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { PROGRAM } from '../helpers/cli.js';
import { giveToServer, type Mariadb } from '../helpers/mariadb.js';
import { doStep, infoOf } from '../helpers/recipe.js';
import { quoted } from './data.js';
import type { Site, Taken } from './site.js';

const sumOf = (server: Mariadb, table: string): string => server.sql(`CHECKSUM TABLE ${table}`).trim().split('\t')[1]!;

/** @param table one of InnoDB in the database `drill` */
export async function importTable(site: Site, { archives, content }: Taken, table: string): Promise<string> {
  const server = await site.serve();
  const target = site.fresh('table');
  const words = ['extract', '-q', archives[0]!, '-C', target, `--tables=drill.${table}`];
  execFileSync(process.execPath, [PROGRAM, ...words], { stdio: 'pipe' });
  execFileSync('mariadb-backup', ['--prepare', '--export', `--target-dir=${target}`], { stdio: 'pipe' });
  const into = `imported.${table}`;
  server.sql(
    `CREATE OR REPLACE DATABASE imported; CREATE TABLE ${into} LIKE drill.${table}; ALTER TABLE ${into} DISCARD TABLESPACE`,
  );
  const database = join(server.dataDirectory, 'imported');
  for (const suffix of ['ibd', 'cfg']) execFileSync('cp', [join(target, 'drill', `${table}.${suffix}`), database]);
  giveToServer(database);
  server.sql(`ALTER TABLE ${into} IMPORT TABLESPACE`);
  assert.equal(sumOf(server, into), content[`drill.${table}`]);
  return 'its checksum';
}

/** What `info` says is to be done with a partial backup, on a server that has none of its tables. */
export async function importByRecipe(site: Site, { archives, content }: Taken, tables: string[]): Promise<string> {
  const source = await site.serve();
  const definitions = tables.map((table) => {
    const path = site.fresh(`${table}.sql`);
    const shown = source.sql(`SHOW CREATE TABLE drill.${quoted(table)}`).split('\t')[1]!;
    fs.writeFileSync(path, shown.replaceAll('\\n', '\n'));
    return path;
  });
  const { next } = await infoOf(archives[0]!);
  const first = next.findIndex(({ each }) => each === 'TABLE');
  assert.ok(first > 0);
  const young = await site.young();
  try {
    young.sql('CREATE DATABASE drill');
    const values = { DIR: site.fresh('partial'), DATADIR: young.dataDirectory, DB: 'drill' };
    for (const step of next.slice(0, first)) doStep(step, values);
    tables.forEach((table, at) => {
      for (const step of next.slice(first))
        doStep(step, { ...values, TABLE: table, DEFINITION: definitions[at]! }, young);
      assert.equal(sumOf(young, `drill.${table}`), content[`drill.${table}`], table);
    });
  } finally {
    await young.stop();
  }
  return `checksums of ${tables.length} tables`;
}
