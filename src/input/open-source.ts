import * as fs from 'node:fs';
import { isatty } from 'node:tty';
import { systemError, XbstreamError } from '../errors.js';
import { FileSource } from './file.js';
import type { Source } from './source.js';

/** Where the bytes of an archive come from. */
export type InputChoice =
  /** A descriptor this process has open; 0 is stdin. */
  | { kind: 'descriptor'; fd: number }
  /** A file (or named pipe, or block device) by its path. */
  | { kind: 'path'; path: string };

/** What messages call an input. */
export function inputName(choice: InputChoice): string {
  if (choice.kind === 'path') return choice.path;
  return choice.fd === 0 ? 'stdin' : `descriptor ${choice.fd}`;
}

/**
 * Opens an input in the way its kind wants.
 *
 * @param isStopped asked often while reading; true ends it
 * @throws XbstreamError `XB_IO`; `XB_USAGE` for a terminal
 */
export async function openSource(choice: InputChoice, isStopped: () => boolean): Promise<Source> {
  const name = inputName(choice);
  let fd: number;
  let stat: fs.Stats;
  try {
    fd = choice.kind === 'path' ? fs.openSync(choice.path, fs.constants.O_RDONLY) : choice.fd;
    stat = fs.fstatSync(fd);
  } catch (error) {
    throw systemError(`cannot open ${name}`, error);
  }
  if (stat.isDirectory()) throw systemError(`cannot read ${name}`, Object.assign(new Error(), { code: 'EISDIR' }));
  if (stat.isFIFO() || stat.isSocket()) {
    // What it stands on takes longer to load than a small file to unpack.
    const { PipeSource } = await import('./pipe.js');
    return new PipeSource(fd, name);
  }
  if (isatty(fd)) {
    throw new XbstreamError('XB_USAGE', `${name} is a terminal, not an archive`, {
      hints: ['give it a file: tsxbstream -x < ARCHIVE', 'or a stream: ssh HOST "cat ARCHIVE" | tsxbstream -x'],
    });
  }
  const position = stat.isFile() || stat.isBlockDevice() ? positionOf(choice, fd) : undefined;
  return new FileSource(fd, choice.kind === 'path', name, position, isStopped);
}

/** Where a descriptor that somebody else opened stands: `(head -c 100 >/dev/null; tsxbstream -x) < file` begins there. */
function positionOf(choice: InputChoice, fd: number): number {
  if (choice.kind === 'path') return 0;
  try {
    const found = /^pos:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
    return found?.[1] === undefined ? 0 : Number(found[1]);
  } catch {
    return 0; // no such folder on this system: then the start is the best guess
  }
}
