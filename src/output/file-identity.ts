import type { Stats } from 'node:fs';

/** What tells a file from another one that takes its place. */
export type FileIdentity = Pick<Stats, 'dev' | 'ino' | 'size' | 'ctimeMs'>;

/** Whether it is the file that was found before. */
export function isSameFile(before: FileIdentity, now: FileIdentity): boolean {
  if (before.dev !== now.dev) return false;
  // File systems in user space may number a file anew; nobody can set when a file was changed last.
  return before.ino === now.ino || (before.size === now.size && before.ctimeMs === now.ctimeMs);
}
