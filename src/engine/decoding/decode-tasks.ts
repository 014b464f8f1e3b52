/** In a helping thread: decodes what it is sent, and sends back what comes out. */
import { DecodeChain } from '../../codec/decode-chain.js';
import { errorToRecord, XbstreamError } from '../../errors.js';
import type { HelperAnswer, HelperTask } from './decode-helpers.js';

/** Output is sent in pieces of this size. */
const PIECE_BYTES = 256 * 1024;
/** How many may be under way; nothing more is decoded until one comes back. */
const PIECES_MAX = 16;

interface Paused {
  chain: DecodeChain;
  file: number;
  taken: Uint8Array;
}

export class DecodeTasks {
  readonly #send: (answer: HelperAnswer, moved: readonly ArrayBuffer[]) => void;
  readonly #chains = new Map<number, DecodeChain>();
  readonly #memory: Buffer[] = [];
  /** Pieces of output that have not come back. */
  #underWay = 0;
  /** What was told while a chain pauses, since too much output is under way. */
  readonly #waiting: HelperTask[] = [];
  #paused: Paused | undefined;
  /** What has come out of a file and is less than a piece. */
  #piece: Buffer | undefined;
  #pieceBytes = 0;

  constructor(send: (answer: HelperAnswer, moved: readonly ArrayBuffer[]) => void) {
    this.#send = send;
  }

  /** Takes what it is told. As long as too much output is under way, only memory that comes back is looked at. */
  take(task: HelperTask): void {
    if (task.kind === 'memory') this.#run(task);
    else this.#waiting.push(task);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#paused !== undefined) {
      if (this.#underWay >= PIECES_MAX) return;
      const { chain, file, taken } = this.#paused;
      this.#paused = undefined;
      if (!this.#step(file, chain, () => chain.resume())) {
        this.#paused = { chain, file, taken };
        return;
      }
      this.#answer({ kind: 'taken', bytes: taken }, taken);
    }
    while (this.#waiting.length > 0 && !this.#isPaused()) this.#run(this.#waiting.shift()!);
  }

  /** A function, since the compiler does not know that calls in between change it. */
  #isPaused(): boolean {
    return this.#paused !== undefined;
  }

  #run(task: HelperTask): void {
    switch (task.kind) {
      case 'open': {
        const { file, layers, key } = task;
        const isFull = (): boolean => this.#underWay >= PIECES_MAX;
        const output = (bytes: Buffer): void => this.#put(file, bytes);
        this.#chains.set(file, new DecodeChain({ layers, key, output, isFull }));
        break;
      }
      case 'push':
        this.#push(task.file, task.bytes);
        break;
      case 'end':
        this.#end(task.file);
        break;
      case 'close':
        this.#chains.get(task.file)?.close();
        this.#chains.delete(task.file);
        break;
      case 'memory':
        this.#underWay -= 1;
        if (this.#memory.length < PIECES_MAX) this.#memory.push(Buffer.from(task.bytes.buffer));
        break;
    }
  }

  #push(file: number, bytes: Uint8Array): void {
    const chain = this.#chains.get(file);
    const isDone = chain === undefined || this.#step(file, chain, () => chain.push(asBuffer(bytes)));
    if (isDone) this.#answer({ kind: 'taken', bytes }, bytes);
    else this.#paused = { chain, file, taken: bytes };
  }

  #end(file: number): void {
    const chain = this.#chains.get(file);
    if (chain === undefined) return;
    this.#step(file, chain, () => {
      chain.end();
      this.#flush(file);
      this.#chains.delete(file);
      this.#answer({ kind: 'ended', file, isKeyUnproven: chain.isKeyUnproven });
    });
  }

  /** Does a step of a file's decoding. @returns whether it has ended well, without a pause */
  #step(file: number, chain: DecodeChain, work: () => void): boolean {
    try {
      work();
      // What comes out of one piece belongs to one file, and must be there before what is said next of it.
      this.#flush(file);
      return !chain.isPaused;
    } catch (error) {
      this.#flush(file);
      this.#chains.delete(file);
      const record = error instanceof XbstreamError ? errorToRecord(error) : undefined;
      this.#answer({ kind: 'failed', file, error: record, bug: record === undefined ? error : undefined });
      return true;
    }
  }

  #put(file: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      this.#piece ??= this.#memory.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
      const taken = bytes.copy(this.#piece, this.#pieceBytes, at);
      at += taken;
      this.#pieceBytes += taken;
      if (this.#pieceBytes === this.#piece.length) this.#flush(file);
    }
  }

  #flush(file: number): void {
    const piece = this.#piece;
    if (piece === undefined) return;
    this.#underWay += 1;
    const bytes = piece.subarray(0, this.#pieceBytes);
    this.#piece = undefined;
    this.#pieceBytes = 0;
    this.#answer({ kind: 'output', file, bytes }, piece);
  }

  #answer(answer: HelperAnswer, moved?: Uint8Array): void {
    this.#send(answer, moved === undefined ? [] : [moved.buffer as ArrayBuffer]);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
