import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SHARED_MEMORY = '/dev/shm';

/** What of a test's context is needed to clean up after it. */
export interface Cleanup {
  after(work: () => void): void;
}

function parentDirectory(): string {
  try {
    fs.accessSync(SHARED_MEMORY, fs.constants.W_OK);
    return SHARED_MEMORY;
  } catch {
    return tmpdir();
  }
}

/** A new directory, in memory where there is such a place, that goes away after the test. */
export function tempDir(context: Cleanup): string {
  const directory = fs.mkdtempSync(join(parentDirectory(), 'tsxbstream-test-'));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}
