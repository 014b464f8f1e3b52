/** Undoes a wrapper by a program of the system, through pipes. */
import type { ChildProcessByStdio } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { errorToRecord, systemCodeOf, XbstreamError } from '../errors.js';
import { PIECE_BYTES, type ByteSink, type Source } from '../input/source.js';
import { copyBytes } from '../threads/copy-bytes.js';
import type { WrapperFormat, WrapperProgram } from './formats.js';
import type { Stage } from './stage.js';
import { WrapperError } from './wrapper-error.js';

/** How much of what a program prints is kept, in bytes. */
const SAID_CHARACTERS_MAX = 1000;
/** And so much is told: bzip2 goes on with advice. */
const SAID_LINES_MAX = 2;

/** Variables by which the system finds a program and its libraries. */
const FINDING_VARIABLES = ['PATH', 'LD_LIBRARY_PATH'];

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Looks at what a program is to decode. */
export interface Follower {
  /** @throws XbstreamError where something else begins than the program is to decode */
  push(bytes: Buffer): void;
  /** How many of the bytes pushed come before that. */
  readonly soundBytes: number;
  /** Nothing more comes: gives its memory back. */
  close(): void;
}

/** How a program has ended. */
interface Ending {
  /** It could not be started. */
  error?: Error;
  code?: number | null;
  signal?: NodeJS.Signals | null;
}

export class ProgramStage implements Stage {
  readonly source: Source;
  readonly #child: Child;
  readonly #follower: Follower | undefined;
  #takenBytes = 0;
  #isOver = false;
  /** What the follower has said. */
  #refusal: WrapperError | undefined;

  /**
   * @param format one that a program undoes
   * @param follower where the program decodes more than this format
   */
  constructor(format: WrapperFormat, isStopped: () => boolean, follower?: Follower) {
    const { command, args, env: own } = format.program!;
    // No keys, and no options of its own (XZ_DEFAULTS, BZIP2): it is to do what is said here.
    const found = Object.entries(process.env).filter(([name]) => FINDING_VARIABLES.includes(name));
    const env = { ...Object.fromEntries(found), LC_ALL: 'C', ...own };
    // In a group of its own: Ctrl-C is for this process, which ends it.
    const { spawn } = process.getBuiltinModule('node:child_process');
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env, detached: true });
    this.#child = child;
    this.#follower = follower;
    // It ends where it does not want more; what became of it is told by its exit code.
    child.stdin.on('error', () => undefined);
    const told = { takenBytes: () => this.#takenBytes, refusal: () => this.#refusal };
    this.source = new ProgramSource(child, format, told, isStopped);
  }

  take(piece: Buffer): Promise<void> {
    if (this.#isOver || this.#child.stdin.destroyed) return Promise.resolve();
    const sound = this.#soundOf(piece);
    this.#takenBytes += piece.length;
    return new Promise((resolve) => {
      this.#child.stdin.write(sound, () => resolve());
      if (this.#refusal !== undefined) this.end(false);
    });
  }

  /** What of a piece the program is to decode. */
  #soundOf(piece: Buffer): Buffer {
    try {
      this.#follower?.push(piece);
      return piece;
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      this.#refusal = WrapperError.from(errorToRecord(error));
      return piece.subarray(0, Math.max(0, this.#follower!.soundBytes - this.#takenBytes));
    }
  }

  end(failed: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (failed) this.close();
    else this.#child.stdin.end();
  }

  close(): void {
    this.#follower?.close();
    this.#child.kill('SIGKILL');
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
  }
}

/** What is known of what was given to a program. */
interface Told {
  takenBytes: () => number;
  /** What begins in it that is not for the program. */
  refusal: () => WrapperError | undefined;
}

/** What a program writes, and what it fails with. */
class ProgramSource implements Source {
  readonly seekable = false;
  readonly #child: Child;
  readonly #format: WrapperFormat;
  readonly #told: Told;
  readonly #isStopped: () => boolean;
  readonly #ended: Promise<Ending>;
  #said = '';
  #stopped = false;

  constructor(child: Child, format: WrapperFormat, told: Told, isStopped: () => boolean) {
    this.#child = child;
    this.#format = format;
    this.#told = told;
    this.#isStopped = isStopped;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(0, SAID_CHARACTERS_MAX);
    });
    this.#ended = new Promise((resolve) => {
      child.on('error', (error) => resolve({ error }));
      // Comes when all that it wrote has come, too.
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  async run(sink: ByteSink): Promise<void> {
    try {
      for await (const piece of this.#child.stdout as AsyncIterable<Buffer>) {
        for (let at = 0; at < piece.length && !this.#isEnded;) {
          const room = sink.room();
          const bytes = copyBytes(piece.subarray(at, at + PIECE_BYTES), room);
          at += bytes;
          await sink.push(room.subarray(0, bytes));
        }
        if (this.#isEnded) return;
      }
    } catch (error) {
      // It was destroyed since nobody wants it any more.
      if (systemCodeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    }
    const ending = await this.#ended;
    if (this.#isEnded) return;
    const refusal = this.#told.refusal();
    if (refusal !== undefined) throw refusal;
    this.#assertWell(ending);
  }

  get #isEnded(): boolean {
    return this.#stopped || this.#isStopped();
  }

  #assertWell({ error, code, signal }: Ending): void {
    const { program, title } = this.#format;
    const { command, packageName } = program!;
    if (error !== undefined) {
      const isMissing = systemCodeOf(error) === 'ENOENT';
      throw WrapperError.from({
        code: 'XB_UNSUPPORTED_LAYER',
        message: `the archive is ${title}, and ${command}, which undoes that, ${isMissing ? 'is not installed' : 'cannot be started'}`,
        details: isMissing ? [] : [error.message],
        hints: [
          `install it: apt-get install ${packageName}`,
          `or undo it elsewhere: ${command} -dc FILE | tsxbstream ...`,
        ],
      });
    }
    const said = this.#said.trim();
    // bzip2 says of what is behind the end that it has ignored it, and calls that success.
    if (code === 0 && said === '') return;
    if (signal != null) {
      throw WrapperError.from({
        code: 'XB_IO',
        message: `${command}, which decodes the archive, was ended by ${signal}`,
      });
    }
    const details = [
      `at or before byte ${this.#told.takenBytes()} of the ${title}`,
      ...said.split('\n', SAID_LINES_MAX).filter((line) => line !== ''),
    ];
    if (/memory usage limit/i.test(said)) {
      throw WrapperError.from({
        code: 'XB_UNSUPPORTED_LAYER',
        message: `the ${title} needs more memory to decode than is given to it`,
        details,
        hints: [`if you trust it, undo it by yourself: ${command} -dc FILE | tsxbstream ...`],
      });
    }
    const isCut = /unexpected end|ends unexpectedly|premature end|truncated/i.test(said);
    throw WrapperError.from({
      code: isCut ? 'XB_LAYER_TRUNCATED' : 'XB_BAD_LAYER',
      message: isCut ? `the ${title} ends too early` : `the ${title} cannot be decoded to its end`,
      details,
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#child.stdout.destroy();
  }

  close(): void {
    this.#child.stdout.destroy();
  }
}

/** Whether a program is found where the system looks for one. */
export function isInstalled(command: WrapperProgram['command']): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
