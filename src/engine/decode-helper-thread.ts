/** A thread that decodes what it is sent, and sends back what comes out. */
import { parentPort } from 'node:worker_threads';
import { DecodeChain } from '../codec/decode-chain.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { HelperAnswer, HelperTask } from './decode-helpers.js';

/** Output is sent in pieces of this size. */
const PIECE_BYTES = 256 * 1024;
/** So many may be under way; until one comes back nothing is decoded. */
const PIECES_MAX = 16;

interface Paused {
  chain: DecodeChain;
  file: number;
  taken: Uint8Array;
}

const port = parentPort!;
const chains = new Map<number, DecodeChain>();
const memory: Buffer[] = [];
let underWay = 0;
/** What was told while a chain pauses, since too much output is under way. */
const waiting: HelperTask[] = [];
let paused: Paused | undefined;

function answer(message: HelperAnswer, moved?: Uint8Array): void {
  port.postMessage(message, moved === undefined ? [] : [moved.buffer as ArrayBuffer]);
}

/** What has come out of a file and is less than a piece. */
let piece: Buffer | undefined;
let pieceBytes = 0;

function put(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) {
    piece ??= memory.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
    const taken = bytes.copy(piece, pieceBytes, at);
    at += taken;
    pieceBytes += taken;
    if (pieceBytes === piece.length) flush(file);
  }
}

function flush(file: number): void {
  if (piece === undefined) return;
  underWay += 1;
  const whole = piece;
  const bytes = pieceBytes;
  piece = undefined;
  pieceBytes = 0;
  answer({ kind: 'output', file, bytes: whole.subarray(0, bytes) }, whole);
}

/** Does a step of a file's decoding. @returns whether it has ended well, without a pause */
function step(file: number, chain: DecodeChain, work: () => void): boolean {
  try {
    work();
    // What comes out of one piece belongs to one file, and must be there before what is said next of it.
    flush(file);
    return !chain.isPaused;
  } catch (error) {
    flush(file);
    chains.delete(file);
    const record = error instanceof XbstreamError ? errorToRecord(error) : undefined;
    answer({ kind: 'failed', file, error: record, bug: record === undefined ? error : undefined });
    return true;
  }
}

function push(file: number, bytes: Uint8Array): void {
  const chain = chains.get(file);
  const isDone = chain === undefined || step(file, chain, () => chain.push(asBuffer(bytes)));
  if (isDone) answer({ kind: 'taken', bytes }, bytes);
  else paused = { chain, file, taken: bytes };
}

function end(file: number): void {
  const chain = chains.get(file);
  if (chain === undefined) return;
  step(file, chain, () => {
    chain.end();
    flush(file);
    chains.delete(file);
    answer({ kind: 'ended', file, isKeyUnproven: chain.isKeyUnproven });
  });
}

function run(task: HelperTask): void {
  switch (task.kind) {
    case 'open': {
      const { file, layers, key } = task;
      const isFull = (): boolean => underWay >= PIECES_MAX;
      chains.set(file, new DecodeChain({ layers, key, output: (bytes) => put(file, bytes), isFull }));
      break;
    }
    case 'push':
      push(task.file, task.bytes);
      break;
    case 'end':
      end(task.file);
      break;
    case 'close':
      chains.get(task.file)?.close();
      chains.delete(task.file);
      break;
    case 'memory':
      underWay -= 1;
      if (memory.length < PIECES_MAX) memory.push(Buffer.from(task.bytes.buffer));
      break;
  }
}

function goOn(): void {
  if (paused !== undefined) {
    if (underWay >= PIECES_MAX) return;
    const { chain, file, taken } = paused;
    paused = undefined;
    if (!step(file, chain, () => chain.resume())) {
      paused = { chain, file, taken };
      return;
    }
    answer({ kind: 'taken', bytes: taken }, taken);
  }
  while (waiting.length > 0 && !isPaused()) run(waiting.shift()!);
}

/** A function, since the compiler does not know that calls in between change it. */
function isPaused(): boolean {
  return paused !== undefined;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

port.on('message', (task: HelperTask) => {
  if (task.kind === 'memory') run(task);
  else waiting.push(task);
  goOn();
});
