import { PageHoles } from '../../codec/page-holes.js';
import type { StoredPath } from '../../format/stored-path.js';
import type { OutputFile } from '../../output/output.js';

/** A file whose content is changed on its way into another, and gets its holes there; all else goes straight through. */
export abstract class FilteredFile implements OutputFile {
  /** What takes the changed content. */
  protected readonly file: OutputFile;
  /** On the way there. */
  protected readonly pages: PageHoles;

  /** @param blockBytes see {@link Output.blockBytes} */
  constructor(file: OutputFile, blockBytes: number) {
    this.file = file;
    this.pages = new PageHoles(blockBytes, (fileOffset, bytes) => file.write(bytes, fileOffset));
  }

  get path(): StoredPath {
    return this.file.path;
  }

  get sizeBytes(): number {
    return this.file.sizeBytes;
  }

  get kept(): boolean {
    return this.file.kept;
  }

  get sha256(): string | undefined {
    return this.file.sha256;
  }

  abstract write(bytes: Buffer, fileOffset: number): void;

  finish(sizeBytes: number, done: () => void): void {
    this.file.finish(sizeBytes, done);
  }

  remove(): void {
    this.file.remove();
  }

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    this.file.rename(path, replaced);
  }

  setAside(): void {
    this.file.setAside();
  }

  restore(): void {
    this.file.restore();
  }

  abandon(removePartial: boolean): StoredPath | undefined {
    return this.file.abandon(removePartial);
  }
}
