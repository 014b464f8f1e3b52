/** The copy of an archive that goes to stdout while the archive is read. */
import * as fs from 'node:fs';
import { errorToRecord, XbstreamError, type ErrorRecord } from '../errors.js';
import { DescriptorSink, Stopped } from './sinks.js';

const STDOUT = 1;
const NAME = 'standard output';

/**
 * Passes bytes on to stdout, synchronously: whoever reads them sets the pace. That they can no longer be written (nobody reads
 * them, the disk is full) is no reason to read no further, and is told in the end.
 */
export class PassedOn {
  readonly #fd: number;
  readonly #sink: DescriptorSink;
  readonly #onFailure: (error: XbstreamError) => void;
  #failure: XbstreamError | undefined;

  /**
   * @param isStopped asked while stdout takes nothing
   * @param onFailure told once, when no more can be written
   */
  constructor(isStopped: () => boolean, onFailure: (error: XbstreamError) => void) {
    this.#fd = waitingDescriptor(STDOUT);
    this.#sink = new DescriptorSink(this.#fd, NAME, isStopped);
    this.#onFailure = onFailure;
  }

  write(piece: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      this.#sink.write(piece);
    } catch (error) {
      if (error instanceof Stopped) return;
      if (!(error instanceof XbstreamError)) throw error;
      this.#failure = error;
      this.#onFailure(error);
    }
  }

  /** Why the copy is not all of the archive. */
  get problem(): ErrorRecord | undefined {
    if (this.#failure === undefined) return undefined;
    const { message, systemCode } = this.#failure;
    return errorToRecord(
      new XbstreamError('XB_IO', 'the copy on standard output is incomplete', {
        systemCode,
        details: [message, `${this.#sink.bytes} bytes were written there`],
        hints: ['what reads it has ended, or its disk is full: see what it says, and make the copy again'],
      }),
    );
  }

  /** All that could be written is. */
  close(): void {
    if (this.#fd !== STDOUT) fs.closeSync(this.#fd);
  }
}

/**
 * Another descriptor of the same pipe, which waits where there is no room: that of the process is set not to by Node, as soon
 * as somebody looks at `process.stdout`. The same where that cannot be had: of a file, or of a pipe of another user's.
 */
function waitingDescriptor(fd: number): number {
  try {
    if (!fs.fstatSync(fd).isFIFO()) return fd;
    const path = `/dev/fd/${fd}`;
    // To open it for writing alone waits for a reader, who may be gone for good.
    const both = fs.openSync(path, fs.constants.O_RDWR);
    try {
      return fs.openSync(path, fs.constants.O_WRONLY);
    } finally {
      fs.closeSync(both);
    }
  } catch {
    return fd;
  }
}
