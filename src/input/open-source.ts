/** Opens an input, whatever it is: a file, several, a pipe, an address. */
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemCodeOf, systemError, XbstreamError } from '../errors.js';
import { shownAddress, type Address } from './address/address.js';
import { closeRead } from './close.js';
import { FileSource } from './file.js';
import { lookAt } from './look.js';
import { OneFile } from './positioned.js';
import type { NamedPipesChoice } from './named-pipes/named-pipes.js';
import type { RingHandle } from './stream/ring.js';
import type { Source } from './source.js';
import { stalled, TimedSource } from './timed-source.js';

/** An input that is one thing the system knows. */
export type SystemInputChoice =
  /**
   * A descriptor this process has open; 0 is stdin. That of a pipe is closed at the end, unless it is only lent (then it
   * must not be a socket).
   */
  | { kind: 'descriptor'; fd: number; lent?: boolean }
  /** A file (or named pipe, or block device) by its path, or a directory with xbcloud's objects. */
  | { kind: 'path'; path: string };

/** Files that follow each other: the parts of an archive. */
export interface PartsChoice {
  kind: 'parts';
  paths: readonly string[];
}

/** What lies at an address, and is read over a network. */
export interface AddressChoice {
  kind: 'address';
  address: Address;
}

/** A key for an archive that is encrypted as a whole. Plain data, so that it can be sent to another thread. */
export interface StreamKey {
  cipher: 'AES128' | 'AES192' | 'AES256' | 'NONE';
  bytes: Uint8Array;
}

/** What is to be done about compression and encryption around an archive as a whole. */
export interface StreamChoice {
  /** Nothing is undone: the input must be an archive as it is. */
  asIs?: boolean | undefined;
  key?: StreamKey | undefined;
}

/** Where the bytes of an archive come from. */
export type InputChoice = (
  | SystemInputChoice
  /** A stream of another thread. */
  | { kind: 'ring'; ring: RingHandle }
  | PartsChoice
  | AddressChoice
  | NamedPipesChoice
) & {
  stream?: StreamChoice;
  /** For how many seconds it may be silent. */
  silentSeconds?: number | undefined;
  /** The file of an index, by which an archive that can be read by position is read. */
  index?: string;
};

/** The input of a verb that may read it by an index. */
export function byIndex({ input, index }: { input: InputChoice; index: string | undefined }): InputChoice {
  return index === undefined ? input : { ...input, index };
}

/** What messages call an input. */
export function inputName(choice: InputChoice): string {
  if (choice.kind === 'path') return choice.path;
  if (choice.kind === 'ring') return 'the stream';
  if (choice.kind === 'named-pipes') return choice.directory;
  if (choice.kind === 'parts') return partsName(choice.paths);
  if (choice.kind === 'address') return shownAddress(choice.address);
  return choice.fd === 0 ? 'stdin' : `descriptor ${choice.fd}`;
}

/** What a digest of an input is of, as `sha1sum` prints it. */
export function digestedName(choice: InputChoice): string {
  return ['path', 'parts', 'address'].includes(choice.kind) ? inputName(choice) : '-';
}

/** What a command that takes an archive is given for an input. */
export function archiveName(input: InputChoice): string {
  return input.kind === 'path' || input.kind === 'address' ? inputName(input) : '-';
}

/** Bytes of an input that is a regular file; undefined where it is not known before the end. */
export function inputSize(input: InputChoice): number | undefined {
  if (input.kind === 'ring' || input.kind === 'named-pipes' || input.kind === 'address') return undefined;
  if (input.kind === 'parts') return sumOf(input.paths.map((path) => inputSize({ kind: 'path', path })));
  const stat = lookAt(input.kind === 'path' ? input.path : input.fd);
  return stat?.isFile() === true ? stat.size : undefined;
}

function sumOf(sizes: readonly (number | undefined)[]): number | undefined {
  return sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0);
}

/**
 * Whether it is waited for in calls, however long a server or a network takes: that is for a thread that has no events to
 * hear.
 */
export function isWaitedFor({ kind }: InputChoice): boolean {
  return kind === 'address';
}

function partsName(paths: readonly string[]): string {
  return paths.length <= 3 ? paths.join(' ') : `${paths[0]!} to ${paths.at(-1)!} (${paths.length} parts)`;
}

/**
 * Opens an input in the way its kind wants. Where it is said how long it may be silent, that is an error then, of whatever
 * is waited for by events or by a network; a disk is waited for by the system.
 *
 * @param isStopped asked often while reading; true ends it
 * @throws XbstreamError `XB_IO`; `XB_USAGE` for a terminal
 */
export async function openSource(choice: InputChoice, isStopped: () => boolean): Promise<Source> {
  if (choice.kind === 'address') {
    const { openAddress } = await import('./address/open-address.js');
    return openAddress(choice.address, choice.silentSeconds, isStopped);
  }
  const source = await open(choice, isStopped);
  const { silentSeconds } = choice;
  return silentSeconds === undefined || source instanceof FileSource
    ? source
    : new TimedSource(source, silentSeconds, inputName(choice));
}

async function open(choice: Exclude<InputChoice, AddressChoice>, isStopped: () => boolean): Promise<Source> {
  const name = inputName(choice);
  if (choice.kind === 'ring') {
    const { RingSource } = await import('./stream/ring-source.js');
    return new RingSource(choice.ring, isStopped);
  }
  if (choice.kind === 'named-pipes') {
    const { NamedPipesSource } = await import('./named-pipes/named-pipes.js');
    return new NamedPipesSource(choice);
  }
  if (choice.kind === 'parts') {
    const { fileParts } = await import('./parts/file-parts.js');
    return new FileSource(fileParts(choice.paths), 0, isStopped);
  }
  let fd: number;
  let stat: fs.Stats;
  try {
    fd = choice.kind === 'path' ? await openPath(choice.path, isStopped, choice.silentSeconds) : choice.fd;
    stat = fs.fstatSync(fd);
    if (choice.kind === 'descriptor' && choice.lent === true && stat.isFIFO()) fd = reopenPipe(fd);
  } catch (error) {
    throw systemError(`cannot open ${name}`, error);
  }
  if (stat.isDirectory()) {
    if (choice.kind === 'path') {
      closeRead(fd);
      const { openObjectDirectory } = await import('./parts/object-directory.js');
      const objects = openObjectDirectory(choice.path, isStopped);
      if (objects !== undefined) return objects;
    }
    throw systemError(`cannot read ${name}`, Object.assign(new Error(), { code: 'EISDIR' }), {
      hints: [
        "of a directory only xbcloud's objects are read (db/t.ibd.00000000000000000000), and with --parts the parts of an archive",
      ],
    });
  }
  if (stat.isFIFO() || stat.isSocket()) {
    // What it stands on takes longer to load than a small file to unpack.
    const { PipeSource } = await import('./pipe.js');
    return new PipeSource(fd, name);
  }
  // A file is none, and what tells it takes time to load.
  if (!stat.isFile() && process.getBuiltinModule('node:tty').isatty(fd)) {
    if (choice.kind === 'path') closeRead(fd);
    throw new XbstreamError('XB_USAGE', `${name} is a terminal, not an archive`, {
      hints: ['give it a file: tsxbstream -x < ARCHIVE', 'or a stream: ssh HOST "cat ARCHIVE" | tsxbstream -x'],
    });
  }
  const position = stat.isFile() || stat.isBlockDevice() ? positionOf(choice, fd) : undefined;
  return new FileSource(new OneFile(fd, name, choice.kind === 'path'), position, isStopped);
}

/** How often, in milliseconds, it is looked whether to stop while nobody writes to a named pipe. */
const LOOK_MS = 20;

/** A named pipe opens when somebody has opened it for writing, which this thread must not wait for in a call. */
async function openPath(path: string, isStopped: () => boolean, seconds = Infinity): Promise<number> {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isFIFO() !== true) return fs.openSync(path, fs.constants.O_RDONLY);
  const opening = promisify(fs.open)(path, 'r');
  const ended = new AbortController();
  const end = (): void => ended.abort();
  opening.then(end, end);
  const deadline = performance.now() + 1000 * seconds;
  let isLate = false;
  for (;;) {
    await sleep(LOOK_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    if (ended.signal.aborted) break;
    isLate = performance.now() > deadline;
    if (isStopped() || isLate) giveWriter(path);
  }
  const fd = await opening;
  if (!isLate) return fd;
  fs.closeSync(fd);
  throw stalled(path, seconds);
}

/** Ends the wait of whoever opens a named pipe for reading; does nothing where nobody does yet. */
function giveWriter(path: string): void {
  try {
    fs.closeSync(fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK));
  } catch (error) {
    if (systemCodeOf(error) !== 'ENXIO') throw error;
  }
}

/**
 * Another descriptor of the same pipe: whoever reads it closes it and makes it return at once, which is not for a
 * descriptor of somebody else's. (Without `O_NONBLOCK` this would wait where the writers are gone already.)
 */
function reopenPipe(fd: number): number {
  return fs.openSync(`/dev/fd/${fd}`, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
}

/**
 * Where a descriptor that somebody else opened stands: `(head -c 100 >/dev/null; tsxbstream -x) < file` begins there.
 *
 * @throws XbstreamError `XB_IO`
 */
export function positionOf(choice: SystemInputChoice, fd: number): number {
  if (choice.kind === 'path') return 0;
  try {
    const found = /^pos:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
    return found?.[1] === undefined ? 0 : Number(found[1]);
  } catch (error) {
    // No such folder on this system: then the start is the best guess.
    if (systemCodeOf(error) === 'ENOENT') return 0;
    throw systemError(`cannot tell where ${inputName(choice)} stands`, error);
  }
}
