import * as fs from 'node:fs';
import { finished } from 'node:stream/promises';
import { join } from 'node:path';
import {
  cat,
  convertToTar,
  extract,
  info,
  list,
  readChunks,
  readEntries,
  verify,
  writeTar,
  type ArchiveInput,
  type CommonOptions,
} from 'tsxbstream';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

/** Calls a function on an archive and tells what came of it, in a form that can be compared. */
export type Call = (context: Cleanup, input: ArchiveInput, options?: Pick<CommonOptions, 'signal'>) => Promise<unknown>;

/** Every function of the library that reads an archive. */
export const CALLS: Readonly<Record<string, Call>> = {
  verify: async (_context, input, options) => {
    const { ok, entries, bytes, archiveBytes, digests } = await verify(input, { ...options, digests: ['sha256'] });
    return { ok, entries, bytes, archiveBytes, digests };
  },
  extract: async (context, input, options) => {
    const target = join(tempDir(context), 'new');
    const told: string[] = [];
    const { files, bytes } = await extract(input, target, { ...options, onFile: ({ path }) => told.push(path) });
    return { files, bytes, told: told.sort(), tree: readTree(target) };
  },
  list: async (_context, input, options) => list(input, options),
  info: async (_context, input, options) => {
    // What to do next names the archive.
    return { ...(await info(input, options)), next: [] };
  },
  cat: async (_context, input, options) => {
    const parts: Buffer[] = [];
    const stream = cat(input, ['xtrabackup_info', 'random.bin'], options);
    stream.on('data', (part: Buffer) => parts.push(part));
    await finished(stream);
    return Buffer.concat(parts).toString('latin1');
  },
  convertToTar: async (_context, input, options) => {
    const told: string[] = [];
    const parts = await convertToTar(input, { ...options, onFile: ({ path }) => told.push(path) }).toArray();
    return { told, tar: Buffer.concat(parts as Buffer[]).toString('latin1') };
  },
  writeTar: async (context, input, options) => {
    const path = join(tempDir(context), 'made.tar');
    const { files, bytes, outputBytes } = await writeTar(input, path, options);
    return { files, bytes, outputBytes, tar: fs.readFileSync(path, 'latin1') };
  },
  readChunks: async (_context, input, options) => {
    const chunks: unknown[] = [];
    for await (const { header, payload } of readChunks(input, options)) {
      const parts: string[] = [];
      for await (const { bytes } of payload()) parts.push(bytes.toString('latin1'));
      chunks.push({ header, payload: parts.join('') });
    }
    return chunks;
  },
  readEntries: async (_context, input, options) => {
    const entries: unknown[] = [];
    for await (const entry of readEntries(input, options)) {
      if (entry.kind !== 'file') continue;
      const parts: string[] = [];
      for await (const bytes of entry.content()) parts.push(bytes.toString('latin1'));
      const { path, layers, archiveOffset, bytes, chunks, complete } = entry;
      entries.push({ path, layers, archiveOffset, bytes, chunks, complete, content: parts.join('') });
    }
    return entries;
  },
};
