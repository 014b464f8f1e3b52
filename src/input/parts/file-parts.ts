import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../../errors.js';
import { OneFile, type PositionedBytes } from '../positioned.js';
import { PositionedParts, type Part } from './positioned-parts.js';

/** Several files, one behind the other, as if they were one. @throws XbstreamError `XB_IO` for one that is no file */
export function fileParts(paths: readonly string[]): PositionedParts {
  const parts = paths.map((path) => new FilePart(path));
  return new PositionedParts(parts, '; the parts follow each other in the order in which they were named');
}

class FilePart implements Part {
  readonly name: string;
  readonly bytes: number;

  constructor(path: string) {
    this.name = path;
    try {
      const stat = fs.statSync(path);
      // What is no file is never opened: a pipe would be waited for.
      if (!stat.isFile()) {
        throw new XbstreamError('XB_IO', `${path} is no file: parts of an archive are read by position`);
      }
      fs.accessSync(path, fs.constants.R_OK);
      this.bytes = stat.size;
    } catch (error) {
      throw systemError(`cannot open ${path}`, error);
    }
  }

  open(): PositionedBytes {
    return openFile(this.name, this.name);
  }
}

/** @param name for messages @throws XbstreamError `XB_IO` */
export function openFile(path: string | Buffer, name: string): OneFile {
  try {
    return new OneFile(fs.openSync(path, fs.constants.O_RDONLY), name, true);
  } catch (error) {
    throw systemError(`cannot open ${name}`, error);
  }
}
