/** Finds the files on disk whose names tell that they are compressed or encrypted, and what they will be called. */
import * as fs from 'node:fs/promises';
import { dirname, basename } from 'node:path';
import { allLayersOf, layersOf, type LayerChoice } from '../../codec/stored-layers.js';
import { systemCodeOf, systemError, XbstreamError } from '../../errors.js';
import { inside, isUtf8, pathForSystem, pathText, rawPath, type StoredPath } from '../../format/stored-path.js';

/** A file that is to be decoded where it lies. */
export interface EncodedFile {
  /** The directory that was named, or in which the file lies that was; UTF-8. */
  root: StoredPath;
  /** Its path below that. */
  path: StoredPath;
  finalPath: StoredPath;
  bytes: number;
}

/** What is to be decoded. */
export interface EncodedFiles {
  /** The largest first, so that what is left for the last thread is small. */
  files: readonly EncodedFile[];
  /** What cannot be: each names a file. */
  problems: readonly XbstreamError[];
  /** Files that are encrypted, while no key is at hand; each as messages call it. */
  encrypted: readonly StoredPath[];
}

export interface FindOptions {
  choice: LayerChoice;
  signal: AbortSignal;
  onWarning: (message: string) => void;
}

/** How many files are looked at concurrently. */
const LOOKS = 32;

/** What messages call a file. */
export function shownPath({ root, path }: Pick<EncodedFile, 'root' | 'path'>): StoredPath {
  return root === '.' ? path : rawPath(`${root.replace(/\/$/, '')}/${path}`);
}

/**
 * Looks through directories, and at single files. What lies below is found by its name alone, links are not followed: whoever
 * decodes a file has to find the way to it again, without links.
 *
 * @param operands files, and directories with all that is in them
 * @throws XbstreamError `XB_IO` for what cannot be looked at; `XB_USAGE` for a file whose name tells nothing
 * @throws the signal's reason after it was aborted
 */
export async function findEncoded(operands: readonly StoredPath[], options: FindOptions): Promise<EncodedFiles> {
  const found = new Map<string, EncodedFile>();
  const problems: XbstreamError[] = [];
  const encrypted: StoredPath[] = [];
  const add = async (root: StoredPath, paths: readonly StoredPath[]): Promise<void> => {
    const real = await realPath(root);
    for (let at = 0; at < paths.length; at += LOOKS) {
      options.signal.throwIfAborted();
      await Promise.all(
        paths.slice(at, at + LOOKS).map(async (path) => {
          const file = await look(root, path, options.choice, problems);
          if (file === undefined) return;
          if (!options.choice.decrypt && allLayersOf(path).includes('xbcrypt')) {
            // Of one that is empty nothing is encrypted: it stays, as it does where an archive is unpacked.
            if (file.bytes > 0) encrypted.push(shownPath(file));
          } else {
            // It may be named more than once.
            found.set(`${real}/${path}`, file);
          }
        }),
      );
    }
  };
  for (const operand of operands) {
    if (await isDirectory(operand)) await add(operand, await encodedIn(operand, options));
    else await add(rawPath(dirname(operand)), [rawPath(basename(operand))]);
  }
  const files = apart(
    [...found].map(([real, file]) => ({ real, file })),
    problems,
  );
  files.sort((a, b) => b.bytes - a.bytes || (shownPath(a) < shownPath(b) ? -1 : 1));
  return { files, problems, encrypted: encrypted.sort() };
}

/** @throws XbstreamError for what is not there, and for a file whose name tells nothing */
async function isDirectory(operand: StoredPath): Promise<boolean> {
  const stat = await ask(operand, fs.stat(pathForSystem(operand)));
  if (stat.isDirectory()) return true;
  if (allLayersOf(operand).length > 0) return false;
  throw new XbstreamError('XB_USAGE', `by its name ${pathText(operand)} is neither compressed nor encrypted`, {
    path: operand,
    details: ['names of files that are end in .qp, .lz4, .zst or .xbcrypt'],
    hints: ['of a directory such files are left alone: tsxbstream decode DIR'],
  });
}

async function ask<Answer>(path: StoredPath, question: Promise<Answer>): Promise<Answer> {
  try {
    return await question;
  } catch (error) {
    throw systemError(`cannot look at ${pathText(path)}`, error, { path });
  }
}

async function realPath(root: StoredPath): Promise<StoredPath> {
  if (!isUtf8(root)) {
    throw new XbstreamError('XB_IO', `the name of the directory ${pathText(root)} is not UTF-8`, {
      path: root,
      hints: ['change into it, and name what is in it: tsxbstream decode .'],
    });
  }
  const real = await ask(root, fs.realpath(pathForSystem(root), { encoding: 'buffer' }));
  return rawPath(real.toString('latin1'));
}

/** All files below a directory whose names tell something, by their paths there. */
async function encodedIn(root: StoredPath, { signal, onWarning }: FindOptions): Promise<StoredPath[]> {
  const found: StoredPath[] = [];
  const waiting = [rawPath('')];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    signal.throwIfAborted();
    const directory = place === '' ? root : inside(root, place);
    const entries = await ask(
      directory,
      fs.readdir(pathForSystem(directory), { encoding: 'latin1', withFileTypes: true }),
    );
    for (const entry of entries) {
      const path = inside(place, rawPath(entry.name));
      if (entry.isDirectory()) waiting.push(path);
      else if (allLayersOf(path).length === 0) continue;
      else if (entry.isFile()) found.push(path);
      else onWarning(`${pathText(shownPath({ root, path }))} is no regular file, and was left alone`);
    }
  }
  return found;
}

/** What is to be done with a file; undefined where nothing is, for what speaks against it is among the problems then. */
async function look(
  root: StoredPath,
  path: StoredPath,
  choice: LayerChoice,
  problems: XbstreamError[],
): Promise<EncodedFile | undefined> {
  const shown = shownPath({ root, path });
  try {
    const { finalName } = layersOf(path, choice);
    const stat = await fs.lstat(pathForSystem(inside(root, path)));
    if (stat.isFile()) return { root, path, finalPath: finalName, bytes: stat.size };
    problems.push(
      new XbstreamError('XB_IO', `${pathText(shown)} is no regular file`, {
        path: shown,
        hints: stat.isSymbolicLink() ? ['name the file that it leads to'] : [],
      }),
    );
  } catch (error) {
    // What is gone since its directory was listed is somebody else's now.
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    if (error instanceof XbstreamError) {
      problems.push(
        new XbstreamError(error.code, `${pathText(shown)} is nothing but a suffix: no name would be left`, {
          path: shown,
          hints: ['rename it'],
        }),
      );
    } else {
      problems.push(systemError(`cannot look at ${pathText(shown)}`, error, { path: shown }));
    }
  }
  return undefined;
}

/** Those that do not get in each other's way: of two that would get the same name, neither is decoded. */
function apart(found: readonly { real: string; file: EncodedFile }[], problems: XbstreamError[]): EncodedFile[] {
  const finalOf = ({ real, file }: { real: string; file: EncodedFile }): string =>
    real.slice(0, real.length - file.path.length) + file.finalPath;
  const originals = new Set(found.map(({ real }) => real));
  const takers = new Map<string, number>();
  for (const each of found) takers.set(finalOf(each), (takers.get(finalOf(each)) ?? 0) + 1);
  return found.flatMap((each) => {
    const { file } = each;
    const final = finalOf(each);
    const isTaken = originals.has(final);
    if (takers.get(final) === 1 && !isTaken) return [file];
    const shown = shownPath(file);
    const name = pathText(shownPath({ root: file.root, path: file.finalPath }));
    const why = isTaken ? `${name}, which is encoded itself` : `${name}, and so would another file`;
    problems.push(
      new XbstreamError('XB_TARGET_EXISTS', `${pathText(shown)} would become ${why}`, {
        path: shown,
        details: ['it was not touched'],
        hints: ['move away the one that is not wanted'],
      }),
    );
    return [];
  });
}
