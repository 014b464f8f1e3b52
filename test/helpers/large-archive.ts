import * as fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { end, payload } from './archive-bytes.js';

export interface LargeArchive {
  chunkBytes: number;
  files: number;
  chunksPerFile: number;
}

/** What a file of the archive is called. */
export function largeName(index: number): string {
  return `db/t${index}.ibd`;
}

/**
 * Writes an archive whose headers are real and whose payloads are zeros that take no room on the disk.
 *
 * @returns the size of the archive in bytes
 */
export function writeLargeArchive(path: string, { chunkBytes, files, chunksPerFile }: LargeArchive): number {
  const crc = crc32(Buffer.alloc(chunkBytes));
  const fd = fs.openSync(path, 'w');
  let at = 0;
  for (let file = 0; file < files; file += 1) {
    for (let chunk = 0; chunk < chunksPerFile; chunk += 1) {
      const header = payload(largeName(file), chunk * chunkBytes, '', { payloadBytes: chunkBytes, crc });
      fs.writeSync(fd, header, 0, header.length, at);
      at += header.length + chunkBytes;
    }
    const last = end(largeName(file));
    fs.writeSync(fd, last, 0, last.length, at);
    at += last.length;
  }
  fs.ftruncateSync(fd, at);
  fs.closeSync(fd);
  return at;
}
