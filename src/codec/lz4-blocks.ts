import { createRequire } from 'node:module';
import { hex32, layerError, type Lz4Job, type OutputSink } from './codec.js';
import { decodeLz4Block } from './lz4-kernel.js';
import { freeNativeMemory } from './native-memory.js';
import { xxHash32, XxHash32 } from './xxhash32.js';

type UncompressSync = (sizeAndBlock: Uint8Array, dictionary?: Uint8Array) => Buffer;

/** How far back a linked block may reach. */
export const LZ4_HISTORY_BYTES = 64 << 10;
const WORD_BYTES = 4;
const STORED_BIT = 0x80000000;
const BLOCK_BYTES_MAX = 4 << 20;

let uncompressSync: UncompressSync | undefined;

/**
 * Decodes blocks of one LZ4 frame, and checks its content's size and checksum when they are all of them.
 *
 * @throws XbstreamError `XB_BAD_LAYER`
 */
export function decodeLz4Blocks(job: Lz4Job, sink: OutputSink): void {
  const bytes = Buffer.from(job.bytes.buffer, job.bytes.byteOffset, job.bytes.length);
  const hash = job.wholeFrame && job.contentChecksum !== undefined ? new XxHash32() : undefined;
  let history = job.history;
  let produced = 0;
  for (let at = 0; at < bytes.length;) {
    const word = bytes.readUInt32LE(at);
    const stored = word >= STORED_BIT;
    const end = at + WORD_BYTES + (stored ? word - STORED_BIT : word);
    if (job.blockChecksums) checkBlock(job, bytes, at, end);
    // Where the content size is known, a block may be larger than the frame says: two real writers made such.
    const blockMax = job.contentBytes === undefined ? job.blockBytesMax : BLOCK_BYTES_MAX;
    const outputBytesMax = Math.min(blockMax, job.outputBytesMax - produced);
    let plain: Buffer;
    if (stored) plain = bytes.subarray(at + WORD_BYTES, end);
    else if (job.linked) plain = decodeLinkedBlock(job, bytes, at, end, outputBytesMax, history);
    else plain = decodeBlock(job, bytes, at, end, outputBytesMax);
    produced += plain.length;
    if (produced > job.outputBytesMax) throw wrongContentSize(job, produced);
    hash?.update(plain);
    if (job.linked) history = lastOutput(history, plain);
    sink(plain);
    if (job.linked && !stored) freeNativeMemory(plain);
    at = job.blockChecksums ? end + WORD_BYTES : end;
  }
  if (!job.wholeFrame) return;
  if (job.contentBytes !== undefined && job.contentBytes !== produced) throw wrongContentSize(job, produced);
  const digest = hash?.digest();
  if (digest !== undefined && digest !== job.contentChecksum) throw wrongContentChecksum(job, digest);
}

function checkBlock(job: Lz4Job, bytes: Buffer, at: number, end: number): void {
  const expected = bytes.readUInt32LE(end);
  const found = xxHash32(bytes.subarray(at + WORD_BYTES, end));
  if (expected === found) return;
  throw layerError(
    'XB_BAD_LAYER',
    'checksum mismatch in an LZ4 block',
    'lz4',
    job.layerOffset + at,
    `expected xxh32 ${hex32(expected)}, found ${hex32(found)}`,
  );
}

/** @param outputBytesMax of this block */
function decodeBlock(job: Lz4Job, bytes: Buffer, at: number, end: number, outputBytesMax: number): Buffer {
  const plain = decodeLz4Block(bytes.subarray(at + WORD_BYTES, end), outputBytesMax);
  if (typeof plain === 'string') throw undecodable(job, at, plain);
  return plain;
}

/** As {@link decodeBlock}, for a block that may copy from what came before it: xtrabackup writes none, others may. */
function decodeLinkedBlock(
  job: Lz4Job,
  bytes: Buffer,
  at: number,
  end: number,
  outputBytesMax: number,
  history: Uint8Array | undefined,
): Buffer {
  uncompressSync ??= (createRequire(import.meta.url)('lz4-napi') as { uncompressSync: UncompressSync }).uncompressSync;
  // Blocks that are larger than the frame says are rare, and room for them in every block would cost fresh pages.
  const usual = Math.min(job.blockBytesMax, outputBytesMax);
  const word = bytes.readUInt32LE(at);
  const sizeAndBlock = bytes.subarray(at, end);
  let problem: unknown;
  // The decoder wants the output's size before the block: it is put where the block's own size stands.
  for (const limit of outputBytesMax > usual ? [usual, outputBytesMax] : [usual]) {
    try {
      bytes.writeUInt32LE(limit, at);
      const plain = uncompressSync(sizeAndBlock, history?.length ? history : undefined);
      return plain;
    } catch (error) {
      problem = error;
    } finally {
      bytes.writeUInt32LE(word, at);
    }
  }
  throw undecodable(job, at, problem instanceof Error ? problem.message : String(problem));
}

function undecodable(job: Lz4Job, at: number, reason: string) {
  return layerError('XB_BAD_LAYER', 'an LZ4 block cannot be decoded', 'lz4', job.layerOffset + at, reason);
}

/** What the next linked block may copy from, in memory of its own. */
function lastOutput(before: Uint8Array | undefined, plain: Buffer): Uint8Array {
  if (before === undefined || plain.length >= LZ4_HISTORY_BYTES) return Buffer.from(plain.subarray(-LZ4_HISTORY_BYTES));
  const keep = before.subarray(Math.max(0, before.length + plain.length - LZ4_HISTORY_BYTES));
  return Buffer.concat([keep, plain]);
}

export function wrongContentSize(job: Lz4Job, found: number) {
  return layerError(
    'XB_BAD_LAYER',
    'an LZ4 frame does not hold as much as it says',
    'lz4',
    job.layerOffset,
    `expected ${job.contentBytes ?? job.outputBytesMax} bytes, found ${found}`,
  );
}

export function wrongContentChecksum(job: Lz4Job, found: number) {
  return layerError(
    'XB_BAD_LAYER',
    'checksum mismatch in the content of an LZ4 frame',
    'lz4',
    job.layerOffset,
    `expected xxh32 ${hex32(job.contentChecksum ?? 0)}, found ${hex32(found)}`,
  );
}
