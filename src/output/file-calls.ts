import * as fs from 'node:fs';

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
