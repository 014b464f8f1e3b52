import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

/**
 * What a directory holds: for each file (one character a byte of its name) its size and the SHA-256 of its content. What is
 * neither file nor directory is named as such; directories show by what is in them, empty ones by a slash.
 */
export type Tree = Readonly<Record<string, string>>;

const MOST_BYTES = 2 ** 31 - 1;

export function describeContent(bytes: Buffer): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}

export function readTree(root: string): Tree {
  const found: Record<string, string> = {};
  const visit = (relative: string): number => {
    const names = fs.readdirSync(pathIn(root, relative), { encoding: 'latin1' });
    for (const name of names) {
      const path = relative + name;
      const stat = fs.lstatSync(pathIn(root, path));
      if (stat.isDirectory()) {
        if (visit(`${path}/`) === 0) found[`${path}/`] = 'empty directory';
      } else if (stat.isFile()) {
        // A damaged header may have put its content anywhere: of what has holes of terabytes nobody wants a digest.
        found[path] = stat.size > MOST_BYTES ? `${stat.size}` : describeContent(fs.readFileSync(pathIn(root, path)));
      } else {
        found[path] = stat.isSymbolicLink() ? 'symbolic link' : 'something else';
      }
    }
    return names.length;
  };
  visit('');
  return sorted(found);
}

/** The tree that holds just these files. */
export function treeOf(files: Readonly<Record<string, Buffer | string>>): Tree {
  return sorted(
    Object.fromEntries(
      Object.entries(files).map(([path, content]) => [
        path,
        describeContent(typeof content === 'string' ? Buffer.from(content, 'latin1') : content),
      ]),
    ),
  );
}

export function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Only the names, in order. */
export function namesIn(root: string): string[] {
  return Object.keys(readTree(root));
}

/** A path of which a part has bytes that are no UTF-8. */
export function pathIn(root: string, stored: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(stored, 'latin1')]);
}

/** Makes files. */
export function writeTree(root: string, files: Readonly<Record<string, Buffer | string>>): void {
  for (const [path, content] of Object.entries(files)) {
    const slash = path.lastIndexOf('/');
    if (slash >= 0) fs.mkdirSync(pathIn(root, path.slice(0, slash)), { recursive: true });
    fs.writeFileSync(pathIn(root, path), content);
  }
}
