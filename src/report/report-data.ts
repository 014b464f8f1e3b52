/** What the script of a report is given, out of what was found in the archive. */
import type { ArchiveMap, MapCell } from '../archive/archive-map.js';
import type { ArchiveIndex } from '../archive/index.js';
import { databaseRows } from './database-rows.js';
import type { PageData } from './page-data.js';

/** Most numbers of files in all cells together, beside one for each file: those with fewest bytes in a cell are left out. */
const MAX_SHARED = 100_000;

export function pageData(index: ArchiveIndex, map: ArchiveMap): PageData {
  const { databases, ordinals, unlisted } = databaseRows(index.entries);
  const numbers = new Map(ordinals.map((ordinal, number) => [ordinal, number]));
  const { cells, cellBytes } = map;
  return {
    ...{ databases, unlisted, cellBytes },
    archiveBytes: index.archiveBytes,
    cells: filesOfCells(cells, numbers),
    damaged: cells.flatMap(({ damaged }, at) => (damaged ? [at] : [])),
  };
}

function filesOfCells(cells: readonly MapCell[], numbers: ReadonlyMap<number, number>): number[][] {
  const all = cells.map(({ files }) =>
    [...files].sort(([, a], [, b]) => b - a).flatMap(([ordinal]) => numbers.get(ordinal) ?? []),
  );
  let most = Math.max(0, ...all.map(({ length }) => length));
  const sharedAtMost = (limit: number): number => all.reduce((sum, files) => sum + Math.min(limit, files.length), 0);
  while (sharedAtMost(most) > MAX_SHARED + numbers.size) most = Math.floor(most / 2);
  const shown = new Set<number>();
  return all.map((files) => {
    // Each file is somewhere.
    const kept = files.filter((file, at) => at < most || !shown.has(file));
    for (const file of kept) shown.add(file);
    return kept;
  });
}
