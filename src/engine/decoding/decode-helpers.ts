/**
 * Threads that decode while this one reads, checks and writes. What is to be decoded goes to them, what comes out comes back:
 * nothing that the system knows (a descriptor, a name) is in their hands.
 */
import type { DecryptionKey, LayerName, OutputSink } from '../../codec/codec.js';
import { errorFromRecord, type ErrorRecord } from '../../errors.js';
import { Helper } from '../../threads/helper.js';

/** What a helping thread is told. What is sent to be decoded, and memory that comes back, is moved, not copied. */
export type HelperTask =
  | { kind: 'open'; file: number; layers: readonly LayerName[]; key: DecryptionKey | undefined }
  | { kind: 'push'; file: number; bytes: Uint8Array }
  | { kind: 'end'; file: number }
  | { kind: 'close'; file: number }
  /** Memory of output that was used. */
  | { kind: 'memory'; bytes: Uint8Array };

/** What it answers, in the order of what it was told. */
export type HelperAnswer =
  | { kind: 'output'; file: number; bytes: Uint8Array }
  /** What was pushed is decoded; its memory comes back. */
  | { kind: 'taken'; bytes: Uint8Array }
  | { kind: 'ended'; file: number; isKeyUnproven: boolean }
  | { kind: 'failed'; file: number; error: ErrorRecord | undefined; bug: unknown };

/** Content is sent in pieces of about this size: smaller ones cost more to send than to decode. */
const PIECE_BYTES = 256 * 1024;
/** What one thread may have before it at most, in bytes. */
const UNDONE_BYTES_MAX = 4 * 1024 * 1024;
/** After so much was sent, answers are heard. */
const TURN_BYTES = 1024 * 1024;

/** Receives what becomes of a file that a helping thread decodes. */
export interface HelpedFile {
  /** Takes the decoded content, in order. */
  output: OutputSink;
  /** All of it has come. */
  ended: (isKeyUnproven: boolean) => void;
  /** It cannot be decoded, or what came could not be taken. Nothing more comes. */
  failed: (error: unknown) => void;
}

/** A file that a helping thread decodes: as {@link DecodeChain}, but what comes out comes later. */
export class HelpedChain {
  readonly #thread: DecodingThread;
  readonly #file: number;
  #piece: Buffer | undefined;
  #pieceBytes = 0;

  constructor(thread: DecodingThread, file: number) {
    this.#thread = thread;
    this.#file = file;
  }

  /** @param bytes lent until the call returns */
  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      this.#piece ??= this.#thread.takeMemory();
      const taken = bytes.copy(this.#piece, this.#pieceBytes, at);
      at += taken;
      this.#pieceBytes += taken;
      if (this.#pieceBytes === this.#piece.length) this.#send();
    }
  }

  end(): void {
    this.#send();
    this.#thread.end(this.#file);
  }

  /** Nothing more of it comes, nor its end: what has come is wanted. */
  giveUp(): void {
    this.#send();
    this.#thread.giveUp(this.#file);
  }

  /** Nothing more of it is wanted. */
  close(): void {
    this.#piece = undefined;
    this.#thread.close(this.#file);
  }

  #send(): void {
    if (this.#piece !== undefined) this.#thread.push(this.#file, this.#piece, this.#pieceBytes);
    this.#piece = undefined;
    this.#pieceBytes = 0;
  }
}

export class DecodeHelpers {
  readonly #threads: DecodingThread[];
  readonly #waiting: (() => void)[] = [];
  #files = 0;
  #sentBytes = 0;

  constructor(count: number) {
    const heard = (): void => this.#wake();
    const sent = (bytes: number): void => {
      this.#sentBytes += bytes;
    };
    this.#threads = Array.from({ length: count }, () => new DecodingThread(heard, sent));
  }

  open(layers: readonly LayerName[], key: DecryptionKey | undefined, file: HelpedFile): HelpedChain {
    const least = this.#threads.reduce((a, b) => (b.load < a.load ? b : a));
    this.#files += 1;
    least.open(this.#files, layers, key, file);
    return new HelpedChain(least, this.#files);
  }

  /** Answers should be heard before more is sent. */
  get isFull(): boolean {
    return this.#sentBytes >= TURN_BYTES || this.#isOverloaded;
  }

  get #isOverloaded(): boolean {
    return this.#threads.some(({ undoneBytes }) => undoneBytes > UNDONE_BYTES_MAX);
  }

  /** Files are being decoded. */
  get isBusy(): boolean {
    return this.#threads.some(({ isBusy }) => isBusy);
  }

  /** Hears answers, and waits for some where too much is undone. */
  async turn(): Promise<void> {
    this.#sentBytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#isOverloaded) await this.answer();
  }

  /** Resolves when something was answered. */
  answer(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  close(): void {
    for (const thread of this.#threads) thread.terminate();
  }
}

/** This side of one thread. */
class DecodingThread {
  /** Bytes that it has not decoded yet. */
  undoneBytes = 0;
  readonly #helper = new Helper<undefined, HelperTask, HelperAnswer>(
    new URL('./decode-helper-thread.js', import.meta.url),
    { name: 'a thread that decodes', data: undefined, decodes: true },
  );
  readonly #files = new Map<number, HelpedFile>();
  /** Files that have ended here and not there. */
  readonly #ending = new Set<number>();
  readonly #memory: Buffer[] = [];
  /** Set when it is over: why. */
  #end: Error | undefined;
  readonly #heard: () => void;
  readonly #sent: (bytes: number) => void;

  constructor(heard: () => void, sent: (bytes: number) => void) {
    this.#heard = heard;
    this.#sent = sent;
    this.#helper.hear(
      (answer) => {
        this.#hear(answer);
        heard();
      },
      (why) => this.#failAll(why),
    );
  }

  get load(): number {
    return this.undoneBytes + this.#files.size;
  }

  get isBusy(): boolean {
    return this.#ending.size > 0;
  }

  /** @throws what has ended it */
  open(number: number, layers: readonly LayerName[], key: DecryptionKey | undefined, file: HelpedFile): void {
    if (this.#end !== undefined) throw this.#end;
    this.#files.set(number, file);
    this.#tell({ kind: 'open', file: number, layers, key });
  }

  takeMemory(): Buffer {
    return this.#memory.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  }

  push(file: number, piece: Buffer, bytes: number): void {
    if (!this.#files.has(file)) {
      this.#memory.push(piece);
      return;
    }
    this.undoneBytes += bytes;
    this.#sent(bytes);
    this.#tell({ kind: 'push', file, bytes: piece.subarray(0, bytes) }, piece);
  }

  end(file: number): void {
    if (!this.#files.has(file)) return;
    this.#ending.add(file);
    this.#tell({ kind: 'end', file });
  }

  giveUp(file: number): void {
    if (this.#files.has(file)) this.#tell({ kind: 'close', file });
  }

  close(file: number): void {
    this.#ending.delete(file);
    if (this.#files.delete(file)) this.#tell({ kind: 'close', file });
  }

  terminate(): void {
    this.#files.clear();
    this.#helper.terminate();
  }

  #tell(task: HelperTask, moved?: Uint8Array): void {
    this.#helper.tell(task, moved === undefined ? [] : [moved.buffer as ArrayBuffer]);
  }

  #hear(answer: HelperAnswer): void {
    switch (answer.kind) {
      case 'taken':
        this.undoneBytes -= answer.bytes.length;
        this.#memory.push(Buffer.from(answer.bytes.buffer));
        break;
      case 'output': {
        const { buffer, byteOffset, length } = answer.bytes;
        this.#do(answer.file, ({ output }) => output(Buffer.from(buffer, byteOffset, length)));
        this.#tell({ kind: 'memory', bytes: answer.bytes }, answer.bytes);
        break;
      }
      case 'ended':
        this.#do(answer.file, ({ ended }) => {
          this.#forget(answer.file);
          ended(answer.isKeyUnproven);
        });
        break;
      case 'failed': {
        const { file, error, bug } = answer;
        this.#fail(file, error === undefined ? bug : errorFromRecord(error));
        break;
      }
    }
  }

  /** What goes wrong with a file is that file's. */
  #do(number: number, work: (file: HelpedFile) => void): void {
    const file = this.#files.get(number);
    if (file === undefined) return;
    try {
      work(file);
    } catch (error) {
      this.close(number);
      file.failed(error);
    }
  }

  #fail(number: number, error: unknown): void {
    const file = this.#files.get(number);
    this.#forget(number);
    file?.failed(error);
  }

  #failAll(error: Error): void {
    this.#end ??= error;
    // It will not do what is left.
    this.undoneBytes = 0;
    for (const number of [...this.#files.keys()]) this.#fail(number, error);
    this.#heard();
  }

  #forget(number: number): void {
    this.#files.delete(number);
    this.#ending.delete(number);
  }
}
