/**
 * Synthetic file content: a pure function of the file's number and the position in it, so that the same bytes can be
 * made again for the checksum that stands before them in the archive, and for checking what was unpacked.
 *
 * The bulk is copied from one pool of bytes, each file from another place of it; every page carries its file's number
 * and its own, so that no two pages of an archive are the same and a piece written to a wrong place is found out.
 */
import { createCipheriv } from 'node:crypto';

/**
 * One stored file.
 *
 * @typedef {object} Entry
 * @property {string} path stored path
 * @property {number} bytes its size
 * @property {(target: Buffer, fileOffset: number) => void} read fills all of `target` with the content from there on
 */

/** @typedef {'random' | 'pages' | 'zeros'} Content */

export const CONTENTS = /** @type {const} */ (['random', 'pages', 'zeros']);

const PAGE_BYTES = 16 * 1024;
const POOL_BYTES = 16 * 1024 * 1024;
const STAMP_BYTES = 16;
/** How far apart two neighbouring files start in the pool: whole pages, and odd, so that all places come up. */
const FILE_STRIDE_BYTES = 37 * PAGE_BYTES;
const FILES_PER_FOLDER = 1000;

/**
 * Files whose content is made up as it is read.
 *
 * @param {{ files: number, fileBytes: number, content: Content }} options
 * @returns {Entry[]}
 */
export function syntheticEntries({ files, fileBytes, content }) {
  const pool = content === 'zeros' ? undefined : makePool(content);
  return Array.from({ length: files }, (_, number) => ({
    path: `db${Math.floor(number / FILES_PER_FOLDER) + 1}/t${String(number).padStart(6, '0')}.ibd`,
    bytes: fileBytes,
    read: (target, fileOffset) => {
      if (pool === undefined) target.fill(0);
      else fillFrom(pool, target, number, fileOffset);
    },
  }));
}

/**
 * @param {'random' | 'pages'} content
 * @returns {Buffer} the same bytes in every run, so that archives of different days are the same
 */
function makePool(content) {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'tsxbstream bench'), Buffer.alloc(16));
  const pool = cipher.update(Buffer.alloc(POOL_BYTES));
  if (content === 'pages') {
    // Rows of 128 bytes, half of each the same in all of them: LZ4 and zstd make about half of it, as of common tables.
    const sameInEveryRow = Buffer.alloc(64, 'a column that says much the same in every row; ');
    for (let at = 64; at < POOL_BYTES; at += 128) sameInEveryRow.copy(pool, at);
  }
  return pool;
}

/**
 * @param {Buffer} pool
 * @param {Buffer} target
 * @param {number} fileNumber
 * @param {number} fileOffset
 */
function fillFrom(pool, target, fileNumber, fileOffset) {
  let poolOffset = (fileNumber * FILE_STRIDE_BYTES + fileOffset) % POOL_BYTES;
  for (let done = 0; done < target.length; poolOffset = 0) {
    done += pool.copy(target, done, poolOffset, poolOffset + target.length - done);
  }
  const stamp = Buffer.alloc(STAMP_BYTES);
  stamp.writeUInt32BE(fileNumber, 0);
  const firstPage = Math.floor(fileOffset / PAGE_BYTES);
  for (let page = firstPage; page * PAGE_BYTES < fileOffset + target.length; page++) {
    stamp.writeUInt32BE(page, 8);
    const at = page * PAGE_BYTES - fileOffset;
    if (at >= 0) stamp.copy(target, at);
    else if (at > -STAMP_BYTES) stamp.copy(target, 0, -at); // a page that began in the piece before
  }
}
