/**
 * The file that a verb makes: written beside its final place, and renamed when it is whole. What is no regular file (a
 * descriptor, a named pipe, a device) is written as it is, and so is what goes to another thread.
 */
import * as fs from 'node:fs';
import { systemCodeOf, systemError, XbstreamError } from '../errors.js';
import { below, pathForSystem, pathFromText, pathText, rawPath, type StoredPath } from '../format/stored-path.js';
import type { InputChoice } from '../input/open-source.js';
import type { RingHandle } from '../input/stream/ring.js';
import { CompressingSink, type TargetSink } from './compressing-sink.js';
import type { Compression } from './compression.js';
import { changeName, FILE_MODE, NEW_FILE_FLAGS } from './directory/file-calls.js';
import { partialName } from './directory/partial-name.js';
import { filesOf, isSameFile } from './file-identity.js';
import { DescriptorSink, Stopped, RingSink } from './sinks.js';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** Where a verb puts the one file that it makes. */
export type OutputChoice =
  /** A descriptor this process has open; 1 is stdout. */
  (
    | { kind: 'descriptor'; fd: number }
    /** A file, which gets its name when it is whole. */
    | { kind: 'path'; path: string; overwrite: boolean }
    /** A reader in another thread. */
    | { kind: 'ring'; ring: RingHandle }
  ) & {
    /** What is made is compressed as a whole. */
    compression?: Compression | undefined;
  };

/** What messages call an output. */
export function outputName(choice: OutputChoice): string {
  if (choice.kind === 'path') return choice.path;
  if (choice.kind === 'ring') return 'the stream';
  return choice.fd === 1 ? 'standard output' : `descriptor ${choice.fd}`;
}

/**
 * What is made of an archive does not take its place, whatever may be replaced. Nor does it go where that is read from
 * (`>> ARCHIVE`), which might never end.
 *
 * @throws XbstreamError `XB_TARGET_EXISTS` where that is the archive, or a part of it
 */
export function assertNotRead(output: OutputChoice, input: InputChoice): void {
  const [taken] = filesOf(output);
  if (taken === undefined || !filesOf(input).some((read) => isSameFile(read, taken))) return;
  const message = `${outputName(output)} is the archive that is read: nothing takes its place`;
  throw new XbstreamError('XB_TARGET_EXISTS', message, {
    hints: [output.kind === 'path' ? 'choose another name' : 'write to another file'],
  });
}

/** Tries to find a free partial name; more than this are the work of somebody. */
const PARTIALS_MAX = 1000;

export class ArchiveTarget {
  readonly sink: TargetSink;
  readonly name: string;
  /** Where it grows; undefined for what is written in place. */
  readonly partial: string | undefined;
  readonly #choice: OutputChoice;
  #fd: number | undefined;
  readonly #ring: RingSink | undefined;
  readonly #compressing: CompressingSink | undefined;
  readonly #place: Place | undefined;

  /**
   * @param isStopped asked while nothing can be written; true ends the wait with {@link Stopped}
   * @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS`
   */
  constructor(choice: OutputChoice, isStopped: () => boolean) {
    this.#choice = choice;
    this.name = outputName(choice);
    if (choice.kind === 'ring') {
      this.#ring = new RingSink(choice.ring, isStopped);
      this.#compressing = compressing(this.#ring, choice.compression);
      this.sink = this.#compressing ?? this.#ring;
      return;
    }
    [this.#fd, this.#place] = choice.kind === 'descriptor' ? [choice.fd, undefined] : openTarget(choice, isStopped);
    this.partial = this.#place === undefined ? undefined : pathText(this.#place.partial);
    const writer = new DescriptorSink(this.#fd, this.name, isStopped);
    this.#compressing = compressing(writer, choice.compression);
    this.sink = this.#compressing ?? writer;
  }

  /** Whether a file of this number would be the one that is being written. */
  isSame(stat: { dev: number | bigint; ino: number | bigint }): boolean {
    if (this.#fd === undefined) return false;
    const own = fs.fstatSync(this.#fd, { bigint: true });
    return own.isFile() && own.dev === BigInt(stat.dev) && own.ino === BigInt(stat.ino);
  }

  /** Writes what is held back, though it will never be whole. */
  flush(): void {
    this.#compressing?.flush();
  }

  /** It is whole: gives it its name. @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS` */
  commit(): void {
    this.#compressing?.end();
    this.#ring?.end();
    if (this.#choice.kind !== 'path') return;
    try {
      if (this.#place !== undefined && !this.#hasPartial(this.#place)) throw this.#replacedByOther();
      this.#close();
      if (this.#place === undefined) return;
      const { partial, path } = this.#place;
      changeName(pathForSystem(partial), pathForSystem(path), this.#choice.overwrite);
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') throw outputExists(this.#choice.path);
      throw systemError(`cannot give ${this.name} its name`, error);
    }
  }

  /** It will never be whole: takes it away, where it has a partial name. */
  discard(): void {
    if (this.#choice.kind !== 'path') return;
    try {
      // Closed already where it did not get its name: it was ours a moment ago.
      const isOurs = this.#place !== undefined && (this.#fd === undefined || this.#hasPartial(this.#place));
      if (isOurs) fs.unlinkSync(pathForSystem(this.#place.partial));
      this.#close();
    } catch {
      // Gone already; and what went wrong before is what counts.
    }
  }

  /** Whether the partial name is still that of the file which was written: a file of the archive may have taken its place. */
  #hasPartial({ partial }: Place): boolean {
    const there = fs.lstatSync(pathForSystem(partial), { throwIfNoEntry: false });
    return there !== undefined && isSameFile(fs.fstatSync(this.#fd!), there);
  }

  #replacedByOther(): XbstreamError {
    return new XbstreamError('XB_IO', `something else has taken the place of the partial file of ${this.name}`, {
      details: [`it grew as ${this.partial!}`],
      hints: ['choose a name in a directory that nothing else is written to'],
    });
  }

  /** A file's blocks are free only when nobody has it open: the thread may end, and the program go on for long. */
  #close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function compressing(sink: TargetSink, compression: Compression | undefined): CompressingSink | undefined {
  return compression === undefined ? undefined : new CompressingSink(sink, compression);
}

/** Where a file grows, and the name that it gets. */
interface Place {
  partial: StoredPath;
  path: StoredPath;
}

/** Opens a file that is to have this path: itself where it cannot be replaced, else a partial one. */
function openTarget(
  { path, overwrite }: OutputChoice & { kind: 'path' },
  isStopped: () => boolean,
): [fd: number, place: Place | undefined] {
  try {
    const isLink = look(() => fs.lstatSync(path))?.isSymbolicLink() === true;
    const stat = look(() => fs.statSync(path));
    if (stat?.isDirectory() === true) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (stat?.isFile() === true && !overwrite) throw outputExists(path);
    if (isLink && stat === undefined) throw leadsNowhere(path);
    if (stat?.isFIFO() === true) return [openPipe(path, isStopped), undefined];
    if (stat !== undefined && !stat.isFile()) return [fs.openSync(path, O_WRONLY), undefined];
    // The link stays: what it leads to is replaced.
    const place = isLink ? rawPath(fs.realpathSync.native(path, 'buffer').toString('latin1')) : pathFromText(path);
    return openPartial(place);
  } catch (error) {
    if (error instanceof Stopped || error instanceof XbstreamError) throw error;
    throw systemError(`cannot write ${path}`, error);
  }
}

/** How often, in milliseconds, it is looked whether somebody reads a named pipe. */
const LOOK_MS = 20;

/** A named pipe opens when somebody has opened it for reading: a thread that waits for that in a call cannot be stopped. */
function openPipe(path: string, isStopped: () => boolean): number {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      return openRead(path);
    } catch (error) {
      if (systemCodeOf(error) !== 'ENXIO') throw error;
    }
    if (isStopped()) throw new Stopped();
    Atomics.wait(pause, 0, 0, LOOK_MS);
  }
}

/** @throws `ENXIO` where nobody reads */
function openRead(path: string): number {
  const opened = [fs.openSync(path, O_WRONLY | O_NONBLOCK)];
  try {
    // Whoever reads may be gone again by now: with a reader of our own, where that is allowed, the next one does not wait.
    if (mayRead(path)) opened.push(fs.openSync(path, O_RDONLY | O_NONBLOCK));
    // What is written by this one may wait.
    return fs.openSync(path, O_WRONLY);
  } finally {
    for (const fd of opened) fs.closeSync(fd);
  }
}

function mayRead(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function openPartial(path: StoredPath): [fd: number, place: Place] {
  const slash = path.lastIndexOf('/') + 1;
  for (let number = 1; ; number += 1) {
    const partial = below(rawPath(path.slice(0, slash)), partialName(rawPath(path.slice(slash)), number));
    try {
      return [fs.openSync(pathForSystem(partial), NEW_FILE_FLAGS, FILE_MODE), { partial, path }];
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST' || number === PARTIALS_MAX) throw error;
    }
  }
}

/** What is there; `throwIfNoEntry` would also hide that a name is too long, or may not be looked at. */
function look(at: () => fs.Stats): fs.Stats | undefined {
  try {
    return at();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function leadsNowhere(path: string): XbstreamError {
  return new XbstreamError('XB_IO', `cannot write ${path}: it is a symbolic link that leads nowhere`, {
    hints: ['remove the link, or name the file that it is to lead to'],
  });
}

function outputExists(path: string): XbstreamError {
  return new XbstreamError('XB_TARGET_EXISTS', `${path} exists`, {
    hints: ['to replace it, once the new one is whole: add --overwrite'],
  });
}
