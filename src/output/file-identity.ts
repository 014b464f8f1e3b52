import type * as fs from 'node:fs';
import { lookAt } from '../input/look.js';
import type { InputChoice } from '../input/open-source.js';

/** What tells a file from another one that takes its place. */
export type FileIdentity = Pick<fs.Stats, 'dev' | 'ino' | 'size' | 'ctimeMs'>;

/** Whether it is the file that was found before. */
export function isSameFile(before: FileIdentity, now: FileIdentity): boolean {
  if (before.dev !== now.dev) return false;
  // File systems in user space may number a file anew; nobody can set when a file was changed last.
  return before.ino === now.ino || (before.size === now.size && before.ctimeMs === now.ctimeMs);
}

/** What is made, as far as it says where. */
type MadeFile = { kind: 'path'; path: string } | { kind: 'descriptor'; fd: number } | { kind: 'ring' };

/** The regular files that are read or written. What cannot be looked at is told by whoever opens it. */
export function filesOf(choice: InputChoice | MadeFile): fs.Stats[] {
  return placesOf(choice)
    .flatMap((place) => lookAt(place) ?? [])
    .filter((stat) => stat.isFile());
}

function placesOf(choice: InputChoice | MadeFile): readonly (string | number)[] {
  if (choice.kind === 'path') return [choice.path];
  if (choice.kind === 'descriptor') return [choice.fd];
  return choice.kind === 'parts' ? choice.paths : [];
}
