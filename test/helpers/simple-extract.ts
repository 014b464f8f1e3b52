import { walkChunks } from './chunk-walk.js';

/**
 * The files of an archive with corrections, worked out from what format.md says in the plainest way. Trusts the archive:
 * checksums are not looked at.
 */
export function simpleExtract(archive: Buffer): Map<string, Buffer> {
  const pieces = new Map<string, { parts: Buffer[]; isWhole: boolean }>();
  for (const { type, flags, path, newPath, payloadStart, end } of walkChunks(archive)) {
    const known = pieces.get(path);
    if (type === 'P') {
      const isAnew = known === undefined || (known.isWhole && (flags & 2) !== 0);
      if (known?.isWhole === true && !isAnew) throw new Error(`${path} comes twice`);
      const entry = isAnew ? { parts: [], isWhole: false } : known;
      entry.parts.push(archive.subarray(payloadStart, end));
      pieces.set(path, entry);
    } else if (type === 'E') {
      // Behind a whole file it says that the file is empty now.
      pieces.set(path, { parts: known === undefined || known.isWhole ? [] : known.parts, isWhole: true });
    } else if (type === 'D') {
      pieces.delete(path);
    } else if (type === 'R') {
      if (known === undefined || path === newPath) continue;
      pieces.delete(path);
      pieces.set(newPath!, known);
    } else {
      throw new Error(`a chunk of type ${type} is not expected`);
    }
  }
  return new Map([...pieces].map(([path, { parts }]) => [path, Buffer.concat(parts)]));
}
