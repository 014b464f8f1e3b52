/** Lays archives out as xbcloud does: an object for each chunk. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { walkChunks } from './chunk-walk.js';
import { pathIn } from './tree.js';

/** An object: its name below the backup, one character a byte, and what is in it. */
export interface TestObject {
  key: string;
  bytes: Buffer;
}

/** The objects of a good archive, in its order. */
export function objectsOf(archive: Buffer): TestObject[] {
  const counts = new Map<string, number>();
  return walkChunks(archive).map(({ path, start, end }) => {
    const number = counts.get(path) ?? 0;
    counts.set(path, number + 1);
    return { key: `${path}.${String(number).padStart(20, '0')}`, bytes: archive.subarray(start, end) };
  });
}

/** Puts them into a directory; with `BACKUP.md5` beside it where that is asked for. */
export function writeObjects(directory: string, objects: readonly TestObject[], withSums = false): void {
  for (const { key, bytes } of objects) {
    const place = pathIn(directory, key);
    fs.mkdirSync(pathIn(directory, dirname(key)), { recursive: true });
    fs.writeFileSync(place, bytes);
  }
  if (!withSums) return;
  const lines = objects.map(({ key, bytes }) => `${createHash('md5').update(bytes).digest('hex')}  ${key}\n`);
  fs.writeFileSync(`${directory}.md5`, Buffer.from(lines.join(''), 'latin1'));
}
