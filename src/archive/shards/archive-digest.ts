import { createHash } from 'node:crypto';
import type { Source } from '../../input/source.js';

/** What of an archive tells it from others: its beginning, and its end, which says when a backup was taken. */
const DIGESTED_BYTES = 64 * 1024;

/**
 * The SHA-256, in hex, of the first and the last 64 KiB of an archive, or of all of a smaller one.
 *
 * @param source can seek
 * @throws XbstreamError `XB_IO`
 */
export function archiveDigest(source: Source, archiveBytes: number): string {
  const hash = createHash('sha256');
  const first = Math.min(DIGESTED_BYTES, archiveBytes);
  hash.update(source.bytesAt!(0, first));
  hash.update(source.bytesAt!(Math.max(first, archiveBytes - DIGESTED_BYTES), DIGESTED_BYTES));
  return hash.digest('hex');
}
