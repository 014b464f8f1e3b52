/** Real files as the content of an archive, as they are or each put through a compressor first. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** @typedef {import('./content.js').Entry} Entry */

/**
 * What is done to every file before it is packed.
 *
 * @typedef {object} Encoding
 * @property {string} command a shell command from stdin to stdout, such as `zstd -1 -c`
 * @property {string} suffix what it appends to the stored name, such as `.zst`
 * @property {number} [frameBytes] run it anew on every so many bytes of a file, as xtrabackup does (10 MiB); without
 *   it, once on the whole file
 */

/**
 * @param {string} folder all regular files below it are packed, by their paths from here
 * @returns {Entry[]}
 */
export function folderEntries(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => fileEntry(folder, path.relative(folder, path.join(found.parentPath, found.name))))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * @param {Entry[]} entries
 * @param {Encoding} encoding
 * @param {string} folder where the encoded files are kept while they are needed; the caller removes it
 * @param {{ throwIfAborted: () => void }} [signal]
 * @returns {Entry[]} the encoded files
 */
export function encodeEntries(entries, { command, suffix, frameBytes }, folder, signal) {
  return entries.map((entry) => {
    const storedPath = entry.path + suffix;
    const encodedPath = path.join(folder, storedPath);
    mkdirSync(path.dirname(encodedPath), { recursive: true });
    const output = openSync(encodedPath, 'w');
    try {
      const stepBytes = frameBytes ?? Math.max(entry.bytes, 1);
      let fileOffset = 0;
      do {
        signal?.throwIfAborted();
        const input = Buffer.allocUnsafe(Math.min(stepBytes, entry.bytes - fileOffset));
        entry.read(input, fileOffset);
        fileOffset += input.length;
        const { status, error } = spawnSync('sh', ['-c', command], { input, stdio: ['pipe', output, 'inherit'] });
        if (status !== 0) throw new Error(`"${command}" failed on ${entry.path}`, { cause: error });
      } while (fileOffset < entry.bytes);
    } finally {
      closeSync(output);
    }
    return fileEntry(folder, storedPath);
  });
}

/**
 * @param {string} folder
 * @param {string} storedPath
 * @returns {Entry}
 */
function fileEntry(folder, storedPath) {
  const file = path.join(folder, storedPath);
  return {
    path: storedPath,
    bytes: statSync(file).size,
    read: (target, fileOffset) => {
      const descriptor = openSync(file, 'r');
      try {
        for (let done = 0; done < target.length;) {
          const got = readSync(descriptor, target, done, target.length - done, fileOffset + done);
          if (got === 0) throw new Error(`${file} became shorter while it was read`);
          done += got;
        }
      } finally {
        closeSync(descriptor);
      }
    },
  };
}
