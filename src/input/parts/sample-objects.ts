/** A quick look into a directory of objects, in a thread that has other things to do. */
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { objectName, OTHERS_MAX } from './object-layout.js';

/**
 * How many bytes, and objects, there are in a directory; only as far as it takes to know that there are enough.
 *
 * @returns undefined for what is no directory, or cannot be read: whoever reads it in earnest will say why
 */
export async function sampleObjects(
  path: string,
  enoughBytes: number,
): Promise<{ bytes: number; count: number } | undefined> {
  const sample = { bytes: 0, count: 0 };
  const waiting = [path];
  let others = 0;
  try {
    if (!(await fs.stat(path)).isDirectory()) return undefined;
    for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
      for await (const entry of await fs.opendir(directory)) {
        const place = join(directory, entry.name);
        if (entry.isDirectory()) waiting.push(place);
        else if (objectName(entry.name) !== undefined) {
          sample.bytes += (await fs.lstat(place)).size;
          sample.count += 1;
        } else others += 1;
        if (sample.bytes >= enoughBytes) return sample;
        if (sample.count === 0 && others > OTHERS_MAX) return sample;
      }
    }
    return sample;
  } catch {
    return undefined;
  }
}
