import { hex32, layerError, type Lz4Job, type OutputSink } from './codec.js';
import { decodeLz4Block } from './lz4-kernel.js';
import { xxHash32, XxHash32 } from './xxhash32.js';

/** How far back a linked block may reach. */
export const LZ4_HISTORY_BYTES = 64 << 10;
const WORD_BYTES = 4;
const STORED_BIT = 0x80000000;
const BLOCK_BYTES_MAX = 4 << 20;

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
    else plain = decodeBlock(job, bytes, at, end, outputBytesMax, history);
    produced += plain.length;
    if (produced > job.outputBytesMax) throw wrongContentSize(job, produced);
    hash?.update(plain);
    if (job.linked) history = lastOutput(history, plain);
    sink(plain);
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

/**
 * @param outputBytesMax of this block
 * @param history what it may copy from, where blocks are linked: xtrabackup links none, others may
 */
function decodeBlock(
  job: Lz4Job,
  bytes: Buffer,
  at: number,
  end: number,
  outputBytesMax: number,
  history: Uint8Array | undefined,
): Buffer {
  const plain = decodeLz4Block(bytes.subarray(at + WORD_BYTES, end), outputBytesMax, history);
  if (typeof plain === 'string') throw undecodable(job, at, plain);
  return plain;
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
