/** What is said of tables that were renamed while the backup was taken, where a pipe told it too late. */
import { XbstreamError } from '../../errors.js';
import { shellWord } from '../../format/shell-word.js';
import { sqlOfFileName, sqlText } from '../../format/sql-name.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { tableOfPart, type NewName, type TableFile, type TablespaceName } from './table-files.js';
import type { AskedName } from './table-names.js';

/** A tablespace that was renamed, and is told by its number. */
export interface NumberedRename {
  /** The file that tells it. */
  path: StoredPath;
  /** The database that its file is in. */
  from: string;
  name: NewName;
}

/** A file that went by before it was known that it is wanted. */
interface PassedFile {
  file: TableFile;
  /** What its table is called now. */
  became: string;
  /** That one is asked for; else only the prepare needs the file. */
  isAsked: boolean;
}

/** @param others what else the prepare needs */
export function wentBy(files: readonly PassedFile[], others: readonly StoredPath[]): XbstreamError {
  const asked = files.filter(({ isAsked }) => isAsked);
  const became = [...new Set((asked.length > 0 ? asked : files).map((file) => file.became))];
  const needed = [...became.map((name) => `what became ${name}`), ...others.map(pathText)].join(', ');
  const message =
    asked.length > 0
      ? `what became ${became.join(', ')} had another name when it came by`
      : `the prepare needs ${needed}, and a pipe tells that too late`;
  const globs = [...files.map(({ file }) => `${file.database}/${file.part}.*`), ...others.map(pathText)];
  const included = [...new Set(globs)].map((glob) => `--include ${shellWord(glob)}`);
  return new XbstreamError('XB_NO_MATCH', message, {
    details: [
      ...new Set(files.map(story)),
      ...others.map((path) => `${pathText(path)}: a table is renamed into there`),
    ],
    hints: [
      'read the archive from a file instead of a pipe: new names are looked for first then',
      `or take ${files.length > 0 ? 'the files of the old names' : 'it'}, too: ${included.join(' ')}`,
    ],
  });
}

function story({ file, became, isAsked }: PassedFile): string {
  const renamed = `${sqlOf(file)} was renamed to ${became} while the backup was taken`;
  return isAsked ? renamed : `${renamed}, and another was made under its name`;
}

/** The error for tablespaces that were renamed and went by before that was known. */
export function renamedByNumber(
  renames: readonly (readonly [spaceId: number, rename: NumberedRename])[],
): XbstreamError {
  const from = [...new Set(renames.map(([, rename]) => rename.from))].map((database) =>
    sqlText(sqlOfFileName(database)),
  );
  return new XbstreamError('XB_NO_MATCH', `tables of ${from.join(', ')} were renamed, and a pipe does not tell which`, {
    details: renames.map(
      ([spaceId, { path, name }]) => `${pathText(path)}: the tablespace with number ${spaceId} became ${sqlOf(name)}`,
    ),
    hints: [
      'read the archive from a file instead of a pipe: the numbers are looked up first then',
      `or take all tables that may be meant, too: --databases ${shellWord(from.join(','))}`,
    ],
  });
}

/** The name of a table as SQL writes it. */
export function sqlOf({ database, ...name }: TablespaceName | TableFile | AskedName): string {
  const table = 'part' in name ? tableOfPart(name.part) : (name.table ?? '*');
  return sqlText(sqlOfFileName(database), sqlOfFileName(table));
}
