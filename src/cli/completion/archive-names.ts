/** The names in an archive that may stand on a command line: paths, and tables and databases as SQL calls them. */
import { readIndex } from '../../archive/index.js';
import { tableFileOf, type TableFileKind } from '../../archive/selection/table-files.js';
import { namesWhileDecoded } from '../../codec/stored-layers.js';
import { withSource } from '../../engine/with-source.js';
import { sqlOfFileName, sqlText } from '../../format/sql-name.js';
import { isUtf8, pathText, type StoredPath } from '../../format/stored-path.js';
import { lookAt } from '../../input/look.js';

/** The longest wait after a key was pressed, in milliseconds, for an archive that has to be read as a whole. */
const PATIENCE_MS = 3000;

/** The final names of what an archive holds; none where it cannot be read, or not soon. Only files: a pipe would be used up. */
export async function pathsIn(archive: string | readonly string[]): Promise<StoredPath[]> {
  const files = [archive].flat();
  if (!files.every((file) => lookAt(file)?.isFile() === true)) return [];
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const input = typeof archive === 'string' ? ({ kind: 'path', path: archive } as const) : parts(archive);
  const stopping = { signal, isStopped: () => signal.aborted };
  const options = { absoluteNames: true, allowEmpty: true };
  const { entries } = await withSource(input, stopping, (source) => readIndex(source, options));
  return entries.map(({ path }) => path).filter(isUtf8);
}

function parts(paths: readonly string[]) {
  return { kind: 'parts', paths } as const;
}

/**
 * What a path in the archive may go on with, up to the next slash, as files are completed.
 *
 * @param typed what is there of it already
 */
export function pathCandidates(paths: readonly StoredPath[], typed: string): string[] {
  const plain = steps(
    paths.map((path) => pathText(namesWhileDecoded(path)[0]?.name ?? path)),
    typed,
  );
  // A stored name with its suffixes is offered where a part of these was typed.
  return plain.length > 0 ? plain : steps(paths.map(pathText), typed);
}

function steps(names: readonly string[], typed: string): string[] {
  const found = names
    .filter((name) => name.startsWith(typed))
    .map((name) => {
      const slash = name.indexOf('/', typed.length);
      return slash === -1 ? name : name.slice(0, slash + 1);
    });
  return sorted(found);
}

/** The files that a table has under its final name. */
const OF_TABLE: ReadonlySet<TableFileKind> = new Set(['tablespace', 'new', 'data', 'definition']);

export function tableNames(paths: readonly StoredPath[]): string[] {
  const files = paths.map(tableFileOf).filter((file) => file !== undefined && OF_TABLE.has(file.kind));
  return sorted(files.map((file) => sqlText(sqlOfFileName(file!.database), sqlOfFileName(file!.table))));
}

export function databaseNames(paths: readonly StoredPath[]): string[] {
  const folders = paths.map((path) => /^([^/#]+)\/[^/]+$/.exec(pathText(path))?.[1]);
  return sorted(folders.filter((folder) => folder !== undefined).map((folder) => sqlText(sqlOfFileName(folder))));
}

/** What no terminal can show cannot be typed either; names of tables have it in letters that files have for it. */
function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => !/\p{C}/u.test(name)).sort();
}
