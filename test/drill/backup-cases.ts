/** Backups of every kind, restored in every way. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { run } from '../helpers/cli.js';
import type { Case, Cases } from './case.js';
import { importByRecipe, importTable } from './import-tables.js';
import type { Site, Taken } from './site.js';
import { WAYS, type Way } from './ways.js';

type Form = 'short' | 'whole';

/** A kind of backup, and which ways the short form takes. */
interface Kind {
  name: string;
  take: (site: Site) => Taken | Promise<Taken>;
  shortWays: readonly string[];
}

const KINDS: readonly Kind[] = [
  { name: 'full', take: (site) => site.take(), shortWays: [] },
  { name: 'full, --parallel=4', take: (site) => site.take('--parallel=4'), shortWays: ['-x, from a pipe'] },
  { name: 'full, --compress', take: (site) => site.take('--compress', '--compress-threads=2'), shortWays: ['tar'] },
  { name: 'DDL and DML meanwhile', take: (site) => site.takeDuringChanges(), shortWays: [] },
  { name: 'full and an increment', take: (site) => site.takeChain(1), shortWays: ['extract'] },
  { name: 'full and three increments', take: (site) => site.takeChain(3), shortWays: [] },
  { name: 'full and three increments, --compress', take: (site) => site.takeChain(3, '--compress'), shortWays: [] },
];

/** Tables of InnoDB that are brought into another server one by one. */
const IMPORTED = ['inno', 'redundant', 'zipped', 'paged', 'words', 'no_rows'];
/** A server whose log is behind that of the backup ("log sequence number is in the future") does not take these. */
const ENCRYPTED = ['encrypted', 'paged_encrypted'];

export function backupCases(site: Site, form: Form): Cases {
  const cases = KINDS.flatMap((kind) => restoreCases(site, kind, form));
  return { cases: [...cases, ...dyingCases(site, form), ...importCases(site, form)], close: () => site.close() };
}

function restoreCases(site: Site, { name, take, shortWays }: Kind, form: Form): Case[] {
  const isCompressed = name.includes('--compress');
  const fits = (way: Way): boolean =>
    form === 'short' ? shortWays.includes(way.name) : way.isOfCompressed !== true || isCompressed;
  const taken = once(site, take);
  return WAYS.filter(fits).map((way) => ({
    name: `${name}: ${way.name}`,
    run: async () => site.restore(await taken(), way),
  }));
}

/** A backup that several cases share is taken for the first of them. */
function once(site: Site, take: Kind['take']): () => Promise<Taken> {
  let taken: Taken | undefined;
  return async () => {
    if (taken !== undefined) return taken;
    await site.serve();
    return (taken = await take(site));
  };
}

/** A backup that dies is refused by every way, and by verify. */
function dyingCases(site: Site, form: Form): Case[] {
  const whole = once(site, () => site.take());
  const shares = form === 'short' ? [0.5] : [0.1, 0.3, 0.5, 0.7, 0.9];
  return shares.map((share) => ({
    name: `a backup that dies after ${share * 100} %`,
    run: async () => {
      const archive = await site.takeHalf(await whole(), share);
      assert.equal((await run(['verify', archive])).code, 4);
      const ways = WAYS.filter(({ isOfCompressed }) => isOfCompressed !== true);
      for (const way of ways) {
        const target = site.fresh('dead');
        assert.equal((await way.unpack(archive, target, false)).code, 4, way.name);
        assert.ok(!existsSync(`${target}/xtrabackup_info`), way.name);
      }
      return `exit codes of verify and ${ways.length} ways`;
    },
  }));
}

function importCases(site: Site, form: Form): Case[] {
  const whole = once(site, () => site.take());
  const tables = form === 'short' ? ['zipped'] : [...IMPORTED, ...ENCRYPTED];
  const single = tables.map((table) => ({
    name: `one table by --tables and IMPORT TABLESPACE: ${table}`,
    run: async () => importTable(site, await whole(), table),
  }));
  if (form === 'short') return single;
  const partial = once(site, () => site.take('--databases=drill'));
  return [
    ...single,
    {
      name: 'partial, --databases=drill: imported by the recipe',
      run: async () => importByRecipe(site, await partial(), IMPORTED),
    },
  ];
}
