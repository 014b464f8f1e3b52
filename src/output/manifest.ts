import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { systemError, XbstreamError } from '../errors.js';
import type { InputChoice } from '../input/open-source.js';
import { pathForSystem, pathFromText, rawPath } from '../format/stored-path.js';
import { ArchiveTarget, assertNotRead } from './archive-target.js';
import { isSameFile } from './file-identity.js';
import type { OutputFile } from './output.js';

/** A file with a line for each file of an archive, as `sha256sum -c` reads them; it has its name when all lines are in it. */
export class Manifest {
  readonly #target: ArchiveTarget;
  readonly #path: string;
  readonly #filesIn: string | undefined;

  /**
   * @param overwrite a file that is there gives way
   * @param filesIn the directory into which the files go, if they are written: none of them gives way
   * @param input the archive, which does not either
   * @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS`
   */
  constructor(
    path: string,
    overwrite: boolean,
    filesIn: string | undefined,
    input: InputChoice,
    isStopped: () => boolean,
  ) {
    const output = { kind: 'path', path, overwrite } as const;
    assertNotRead(output, input);
    this.#path = path;
    this.#filesIn = filesIn;
    this.#target = new ArchiveTarget(output, isStopped);
  }

  /** @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS` */
  write(files: Iterable<OutputFile>): void {
    const all = [...files];
    try {
      this.#assertFree(all);
    } catch (error) {
      throw systemError(`cannot write ${this.#path}`, error);
    }
    let lines = '';
    for (const { path, sha256 } of all) {
      if (sha256 !== undefined) lines += manifestLine(path, sha256);
    }
    this.#target.sink.write(Buffer.from(lines, 'latin1'));
    this.#target.commit();
  }

  /** @throws XbstreamError `XB_TARGET_EXISTS` where one of the files has the manifest's name */
  #assertFree(files: readonly OutputFile[]): void {
    const taken = this.#filesIn === undefined ? undefined : statSync(this.#path, { throwIfNoEntry: false });
    if (taken === undefined) return;
    const name = pathFromText(basename(realpathSync(this.#path)));
    for (const { path } of files) {
      if (path !== name && !path.endsWith(`/${name}`)) continue;
      const place = path.startsWith('/') ? path : rawPath(`${pathFromText(this.#filesIn!)}/${path}`);
      const stat = lstatSync(pathForSystem(place), { throwIfNoEntry: false });
      if (stat === undefined || !isSameFile(taken, stat)) continue;
      throw new XbstreamError(
        'XB_TARGET_EXISTS',
        `${this.#path} is a file of the archive: no manifest takes its place`,
        {
          hints: ['choose a name outside of what is unpacked'],
        },
      );
    }
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
