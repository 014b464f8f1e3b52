import * as fs from 'node:fs';

/**
 * Closes what was only read: the system may refuse that, too (a file server that is gone), but nothing is lost by it, and the
 * descriptor is free all the same.
 */
export function closeRead(descriptor: number): void {
  try {
    fs.closeSync(descriptor);
  } catch {
    // See above.
  }
}
