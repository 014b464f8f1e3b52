import assert from 'node:assert/strict';
import type { RunResult } from './cli.js';

/** Exit codes as the command line promises them. */
export const EXIT = { ok: 0, refused: 1, usage: 2, damaged: 3, undecodable: 5, incomplete: 4 } as const;

/** The program ended by itself with this code, printed nothing on stdout, and said something like this. */
export function assertEnded(result: RunResult, code: number, ...said: readonly RegExp[]): void {
  assert.deepEqual(
    { code: result.code, signal: result.signal, stdout: result.stdout },
    { code, signal: null, stdout: '' },
    result.stderr,
  );
  if (code === EXIT.ok) assert.equal(result.stderr, '');
  // A stack trace, or a request to report it, is never an answer.
  assert.doesNotMatch(result.stderr, /\bat .*\.js:\d+|\bbug\b/i);
  for (const pattern of said) assert.match(result.stderr, pattern);
}
