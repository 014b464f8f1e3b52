import { ArchiveTarget } from './archive-target.js';
import type { OutputFile } from './output.js';

/** A file with a line for each file of an archive, as `sha256sum -c` reads them; it has its name when all lines are in it. */
export class Manifest {
  readonly #target: ArchiveTarget;

  /**
   * @param overwrite a file that is there gives way
   * @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS`
   */
  constructor(path: string, overwrite: boolean, isStopped: () => boolean) {
    this.#target = new ArchiveTarget({ kind: 'path', path, overwrite }, isStopped);
  }

  /** @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS` */
  write(files: Iterable<OutputFile>): void {
    let lines = '';
    for (const { path, sha256 } of files) {
      if (sha256 !== undefined) lines += manifestLine(path, sha256);
    }
    this.#target.sink.write(Buffer.from(lines, 'latin1'));
    this.#target.commit();
  }

  /** There will be none. */
  discard(): void {
    this.#target.discard();
  }
}

/** sha256sum marks a line whose name holds a backslash or a line break with a backslash, and escapes those in it. */
function manifestLine(path: string, sha256: string): string {
  const escaped = path.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r');
  return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
}
