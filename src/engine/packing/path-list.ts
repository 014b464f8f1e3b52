/** Reads the list of paths that `--files-from` names. */
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath, rawPath } from '../../format/stored-path.js';
import { openSource, type InputChoice } from '../../input/open-source.js';
import { takeAll, type Source } from '../../input/source.js';

/** No system takes a longer path (`PATH_MAX` of Linux): what seems to be one is something else. */
const SYSTEM_PATH_BYTES_MAX = 4096;

/**
 * Reads a list of paths: one a line, or each ended by a NUL byte. Their bytes are taken as they are.
 *
 * @param onSource is given what reads, so that it can be stopped
 * @throws XbstreamError `XB_IO`
 */
export async function readPathList(
  input: InputChoice,
  nullSeparated: boolean,
  isStopped: () => boolean,
  onSource: (source: Source) => void,
): Promise<StoredPath[]> {
  const end = nullSeparated ? '\0' : '\n';
  const paths: StoredPath[] = [];
  const add = (path: string): void => {
    if (path.includes('\0')) throw noPath('a name holds a NUL byte', path, nullSeparated);
    if (path !== '') paths.push(rawPath(path));
  };
  let rest = '';
  const source = await openSource(input, isStopped);
  onSource(source);
  try {
    await source.run(
      takeAll((piece) => {
        const parts = (rest + piece.toString('latin1')).split(end);
        rest = parts.pop()!;
        for (const path of parts) add(path);
        if (rest.length > SYSTEM_PATH_BYTES_MAX) {
          throw noPath(`a name of more than ${SYSTEM_PATH_BYTES_MAX} bytes begins with`, rest, nullSeparated);
        }
        return undefined;
      }),
    );
  } finally {
    source.close();
  }
  add(rest);
  return paths;
}

function noPath(what: string, text: string, nullSeparated: boolean): XbstreamError {
  return new XbstreamError('XB_IO', 'this is no list of names', {
    details: [`${what}: ${pathText(rawPath(text.slice(0, 60)))}`],
    hints: [
      nullSeparated
        ? 'names must end in NUL bytes: find -print0'
        : 'is it one whose names end in NUL bytes? then add -0',
    ],
  });
}
