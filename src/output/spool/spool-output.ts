import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import type { OutputFile } from '../output.js';
import type { Spool } from './spool.js';
import { onDisk, SpooledFile } from './spooled-file.js';
import { UnwrittenOutput } from '../virtual-output.js';

/** Lets the files of an archive wait: until its end, since corrections may come, or each until it is whole and its turn comes. */
export class SpoolOutput extends UnwrittenOutput {
  readonly blockBytes = 4096;
  readonly #spool: Spool;
  readonly #passesOn: boolean;
  readonly #passed: SpooledFile[] = [];
  readonly #files = new Set<SpooledFile>();

  /** @param passesOn each file is given away for good when it is whole */
  constructor(spool: Spool, passesOn: boolean) {
    super();
    this.#spool = spool;
    this.#passesOn = passesOn;
  }

  open(path: StoredPath): OutputFile {
    const place = onDisk(this.#spool);
    if (this.#passesOn) return new PassedOnFile(path, place, (file) => this.#passed.push(file));
    const file = new SpooledFile(path, place);
    this.#files.add(file);
    return file;
  }

  /** The whole files that wait, by their names; more than one where decoding gives two the same. */
  byPath(): Map<StoredPath, SpooledFile[]> {
    const found = new Map<StoredPath, SpooledFile[]>();
    for (const file of this.#files) {
      if (file.isWhole && !file.isGone) found.set(file.path, [...(found.get(file.path) ?? []), file]);
    }
    return found;
  }

  /** The next file to be passed on; whoever takes it drops its content when it is done with. */
  takePassed(): SpooledFile | undefined {
    return this.#passed.shift();
  }

  override release(): void {
    this.#spool.close();
  }
}

/** A file that is passed on when it is whole, and then cannot be corrected any more. */
class PassedOnFile extends SpooledFile {
  readonly #onWhole: (file: SpooledFile) => void;
  #passed = false;

  constructor(
    path: StoredPath,
    place: ConstructorParameters<typeof SpooledFile>[1],
    onWhole: (file: SpooledFile) => void,
  ) {
    super(path, place);
    this.#onWhole = onWhole;
  }

  override finish(sizeBytes: number, done: () => void): void {
    super.finish(sizeBytes, () => undefined);
    this.#passed = true;
    this.#onWhole(this);
    done();
  }

  override remove(): void {
    if (this.#passed) throw this.#tooLate('removed or replaced');
    super.remove();
  }

  override rename(path: StoredPath, replaced: OutputFile | undefined): void {
    if (this.#passed) throw this.#tooLate('renamed');
    super.rename(path, replaced);
  }

  #tooLate(what: string): XbstreamError {
    return new XbstreamError(
      'XB_UNSUPPORTED_ORDER',
      `${pathText(this.path)} is to be ${what}, but was written already`,
      {
        path: this.path,
        details: ['with --stream a file is written as soon as it is whole, and the archive corrects this one later'],
        hints: ['leave out --stream, or read the archive from a file'],
      },
    );
  }
}
