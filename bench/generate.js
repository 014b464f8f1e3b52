/**
 * Makes archives to measure with, of any size in constant memory.
 *
 *   node bench/generate.js --files 8 --file-bytes 268435456 --chunk-bytes 10485760 --interleave 4 -o big.xbs
 *   node bench/generate.js --from tables/ --through 'zstd -1 -c' --suffix .zst --frame-bytes 10485760 -o tables.xbs
 *
 * It shares no code with the program that is measured: a second reading of the format.
 */
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { CONTENTS, syntheticEntries } from './content.js';
import { encodeEntries, folderEntries } from './folder.js';

/** @typedef {import('./content.js').Entry} Entry */

/** Content is made and written in pieces of this size, which stay in the CPU's caches on their way. */
const PIECE_BYTES = 512 * 1024;

/**
 * Writes an archive.
 *
 * @param {string} outputPath
 * @param {Entry[]} entries
 * @param {object} options
 * @param {number} options.chunkBytes most payload bytes in a chunk
 * @param {number} [options.interleave] how many files' chunks alternate
 * @param {{ throwIfAborted: () => void }} [options.signal]
 */
export async function writeArchive(outputPath, entries, { chunkBytes, interleave = 1, signal }) {
  const output = new BufferedOutput(outputPath);
  try {
    const waiting = entries.values();
    /** @type {{ entry: Entry, fileOffset: number }[]} */
    const open = [];
    const openNext = () => {
      const { done, value } = waiting.next();
      if (!done) open.push({ entry: value, fileOffset: 0 });
    };
    for (let i = 0; i < interleave; i++) openNext();
    for (let chunks = 1; open.length > 0; chunks++) {
      const current = /** @type {{ entry: Entry, fileOffset: number }} */ (open.shift());
      const { entry, fileOffset } = current;
      const payloadBytes = Math.min(chunkBytes, entry.bytes - fileOffset);
      if (payloadBytes > 0) writePayloadChunk(output, entry, fileOffset, payloadBytes);
      current.fileOffset += payloadBytes;
      if (current.fileOffset < entry.bytes) {
        open.push(current);
      } else {
        output.write(chunkHeader('E', entry.path));
        openNext();
      }
      // Let signals in now and then: often enough for large chunks, not too often for small ones.
      if (payloadBytes > PIECE_BYTES || chunks % 1000 === 0) await nextTurn();
      signal?.throwIfAborted();
    }
    output.flush();
  } finally {
    output.close();
  }
}

/**
 * The checksum stands before the payload, so the payload is made twice: a chunk may be larger than memory.
 *
 * @param {BufferedOutput} output
 * @param {Entry} entry
 * @param {number} fileOffset
 * @param {number} payloadBytes
 */
function writePayloadChunk(output, entry, fileOffset, payloadBytes) {
  let checksum = 0;
  for (const piece of pieces(entry, fileOffset, payloadBytes)) checksum = crc32(piece, checksum);
  const lengthOffsetAndChecksum = Buffer.alloc(20);
  lengthOffsetAndChecksum.writeBigUInt64LE(BigInt(payloadBytes), 0);
  lengthOffsetAndChecksum.writeBigUInt64LE(BigInt(fileOffset), 8);
  lengthOffsetAndChecksum.writeUInt32LE(checksum, 16);
  output.write(chunkHeader('P', entry.path));
  output.write(lengthOffsetAndChecksum);
  for (const piece of pieces(entry, fileOffset, payloadBytes)) output.write(piece);
}

const pieceBuffer = Buffer.allocUnsafe(PIECE_BYTES);

/**
 * @param {Entry} entry
 * @param {number} fileOffset
 * @param {number} bytes
 * @returns {Generator<Buffer, void>} pieces that are valid until the next one is asked for
 */
function* pieces(entry, fileOffset, bytes) {
  for (let done = 0; done < bytes;) {
    const piece = pieceBuffer.subarray(0, Math.min(PIECE_BYTES, bytes - done));
    entry.read(piece, fileOffset + done);
    yield piece;
    done += piece.length;
  }
}

/**
 * @param {'P' | 'E'} type
 * @param {string} storedPath
 * @returns {Buffer} magic, flags, type, path length and path
 */
function chunkHeader(type, storedPath) {
  const pathBytes = Buffer.from(storedPath);
  const fixed = Buffer.alloc(14);
  fixed.write('XBSTCK01', 0, 'latin1');
  fixed.write(type, 9, 'latin1');
  fixed.writeUInt32LE(pathBytes.length, 10);
  return Buffer.concat([fixed, pathBytes]);
}

/** Gathers small writes: an archive of 50,000 small files would else need 150,000 system calls. */
class BufferedOutput {
  #descriptor;
  #buffer = Buffer.allocUnsafe(PIECE_BYTES);
  #used = 0;

  /** @param {string} outputPath */
  constructor(outputPath) {
    this.#descriptor = openSync(outputPath, 'w');
  }

  /** @param {Buffer} bytes */
  write(bytes) {
    if (bytes.length > this.#buffer.length - this.#used) this.flush();
    if (bytes.length >= this.#buffer.length) this.#writeAll(bytes);
    else this.#used += bytes.copy(this.#buffer, this.#used);
  }

  flush() {
    this.#writeAll(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  close() {
    closeSync(this.#descriptor);
  }

  /** @param {Buffer} bytes */
  #writeAll(bytes) {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#descriptor, bytes, done);
  }
}

const USAGE = `usage: node bench/generate.js -o ARCHIVE [--chunk-bytes N] [--interleave N] WHAT
  WHAT is either made-up content:   --files N --file-bytes N [--content ${CONTENTS.join('|')}]
  or the files of a folder:         --from FOLDER [--through COMMAND --suffix .EXT [--frame-bytes N]]`;

async function main() {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', short: 'o' },
      'chunk-bytes': { type: 'string', default: '10485760' },
      interleave: { type: 'string', default: '1' },
      files: { type: 'string', default: '1' },
      'file-bytes': { type: 'string' },
      content: { type: 'string', default: 'random' },
      from: { type: 'string' },
      through: { type: 'string' },
      suffix: { type: 'string' },
      'frame-bytes': { type: 'string' },
    },
  });
  const { output, from, through, suffix } = values;
  const content = CONTENTS.find((known) => known === values.content);
  if (output === undefined || content === undefined) throw new Error(USAGE);
  if ((from === undefined) === (values['file-bytes'] === undefined)) throw new Error(USAGE);
  if ((through === undefined) !== (suffix === undefined)) throw new Error(USAGE);
  const options = {
    chunkBytes: toCount('--chunk-bytes', values['chunk-bytes']),
    interleave: toCount('--interleave', values.interleave),
  };
  if (from === undefined) {
    const files = toCount('--files', values.files);
    const fileBytes = toCount('--file-bytes', values['file-bytes'], 0);
    await writeArchive(output, syntheticEntries({ files, fileBytes, content }), options);
  } else if (through === undefined || suffix === undefined) {
    await writeArchive(output, folderEntries(from), options);
  } else {
    const frameBytes = values['frame-bytes'] && toCount('--frame-bytes', values['frame-bytes']);
    const encoding = { command: through, suffix, ...(frameBytes && { frameBytes }) };
    const encodedFolder = mkdtempSync(path.join(tmpdir(), 'tsxbstream-generate-'));
    try {
      await writeArchive(output, encodeEntries(folderEntries(from), encoding, encodedFolder), options);
    } finally {
      rmSync(encodedFolder, { recursive: true });
    }
  }
}

/**
 * @param {string} option
 * @param {string | undefined} text
 * @param {number} [least]
 */
function toCount(option, text, least = 1) {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < least) throw new Error(`${option} wants a whole number, not "${text}"`);
  return count;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
