/** Did an extraction yield what was packed? Names, sizes and contents, file by file. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { folderEntries } from './folder.js';

/** @typedef {import('./content.js').Entry} Entry */
/** @typedef {Map<string, string>} Tree from path to size and SHA-256 */

const PIECE_BYTES = 1024 * 1024;
const DIFFERENCES_NAMED = 3;

/**
 * @param {Entry[]} entries
 * @param {{ throwIfAborted: () => void }} [signal]
 * @returns {Promise<Tree>}
 */
export async function treeOfEntries(entries, signal) {
  const tree = new Map();
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (const [index, entry] of entries.entries()) {
    const hash = createHash('sha256');
    for (let fileOffset = 0; fileOffset < entry.bytes; fileOffset += PIECE_BYTES) {
      const piece = buffer.subarray(0, Math.min(PIECE_BYTES, entry.bytes - fileOffset));
      entry.read(piece, fileOffset);
      hash.update(piece);
      if (entry.bytes > PIECE_BYTES) await nextTurn();
      signal?.throwIfAborted();
    }
    if (index % 1000 === 0) await nextTurn();
    tree.set(entry.path, `${entry.bytes} bytes, sha256 ${hash.digest('hex')}`);
  }
  return tree;
}

/**
 * @param {string} folder
 * @param {Tree} expected
 * @param {{ throwIfAborted: () => void }} [signal]
 * @throws Error that names the first differences
 */
export async function checkFolder(folder, expected, signal) {
  const found = await treeOfEntries(folderEntries(folder), signal);
  const paths = new Set([...expected.keys(), ...found.keys()]);
  const differences = [...paths].filter((path) => expected.get(path) !== found.get(path));
  if (differences.length === 0) return;
  const named = differences
    .slice(0, DIFFERENCES_NAMED)
    .map((path) => `${path}: expected ${expected.get(path) ?? 'nothing'}, found ${found.get(path) ?? 'nothing'}`);
  throw new Error(`${differences.length} files differ from what was packed:\n${named.join('\n')}`);
}
