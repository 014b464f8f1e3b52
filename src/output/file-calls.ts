import * as fs from 'node:fs';
import { pathForSystem } from '../format/stored-path.js';

/** Under the umask, as Percona's xbstream has it. */
export const FILE_MODE = 0o640;

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;
export const NEW_FILE_FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** Writes all of `bytes`; a single call may take less than it is given (a disk that is nearly full, a signal). */
export function writeAll(descriptor: number, bytes: Buffer, fileOffset: number): void {
  const { length } = bytes;
  for (let done = 0; done < length;) {
    done += fs.writeSync(descriptor, bytes, done, length - done, fileOffset + done);
  }
}

/**
 * Makes a file whose whole content is at hand, by way of its partial name. When it fails nothing is left of it.
 *
 * @param partialPath one character a byte, as the other
 */
export function makeFile(partialPath: string, finalPath: string, bytes: Buffer): void {
  const partial = pathForSystem(partialPath);
  const descriptor = fs.openSync(partial, NEW_FILE_FLAGS, FILE_MODE);
  try {
    try {
      writeAll(descriptor, bytes, 0);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(partial, pathForSystem(finalPath));
  } catch (error) {
    fs.unlinkSync(partial);
    throw error;
  }
}
