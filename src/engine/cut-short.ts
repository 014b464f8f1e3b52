/**
 * Ctrl-C and its likes go to all processes of a pipeline at once. Whoever writes our input, or reads our output, may be gone
 * before this process has heard of it: then the input is cut short, and nothing is wrong with the archive.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorRecord, XbstreamError, XbstreamErrorCode } from '../errors.js';
import { inputSize, type InputChoice } from '../input/open-source.js';

/**
 * How long, in milliseconds, the message that the input is cut short waits for a signal. The system has sent it by then to
 * all processes, and so has whoever ends them one by one; a run that fails anyway takes no noticeable time longer.
 */
const SIGNAL_WAIT_MS = 100;

/** What can be wrong when an input ends too early. */
const CUT_SHORT: ReadonlySet<XbstreamErrorCode> = new Set([
  'XB_TRUNCATED',
  'XB_MISSING_EOF',
  'XB_GAP',
  'XB_EMPTY_ARCHIVE',
  'XB_UNFINISHED_BACKUP',
  'XB_LAYER_TRUNCATED',
  'XB_NO_MATCH',
]);

/** Whether an input ends when another process does. */
export function isPiped(input: InputChoice | undefined): boolean {
  return input !== undefined && input.kind !== 'ring' && input.kind !== 'address' && inputSize(input) === undefined;
}

/**
 * Whether an error may come of the end of another process.
 *
 * @param piped see {@link isPiped}
 */
export function isOfOthersEnd({ code, systemCode }: ErrorRecord | XbstreamError, piped: boolean): boolean {
  return systemCode === 'EPIPE' || (piped && (CUT_SHORT.has(code) || systemCode === 'ECONNRESET'));
}

/** Whether a signal explains it: one that has come, or comes at once. */
export function abortedSoon(signal: AbortSignal): Promise<boolean> {
  return sleep(SIGNAL_WAIT_MS, false, { signal }).catch(() => true);
}
