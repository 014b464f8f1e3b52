import type { DecodeJob } from '../codec/codec.js';
import { PageHoles, type PageLayout } from '../codec/page-holes.js';
import { runJob } from '../codec/run-job.js';
import { writeAll } from '../output/file-calls.js';

/** Where the output of a job goes. Plain data, so that it can be sent to another thread. */
export interface JobPlace {
  /** What to write with; undefined where it is enough that the content can be decoded. */
  descriptor: number | undefined;
  /** Where the output begins in the file, in bytes. */
  fileOffset: number;
  /** How much it is, in bytes. */
  outputBytes: number;
  layout: PageLayout;
}

/**
 * What was not written: parts of pages that begin before the job's output, or end behind it. Where they have a hole only
 * who knows the rest of the page can tell.
 */
export interface PageRests {
  head: Uint8Array;
  tail: Uint8Array;
}

/** The output could not be written; why, will come up again where it is tried again. */
export class NotPlaced extends Error {}

/**
 * Does a job and writes its output where it belongs, while it is still in the CPU's caches.
 *
 * @throws XbstreamError what is wrong with the content; {@link NotPlaced}
 */
export function doPlacedJob(job: DecodeJob, { descriptor, fileOffset, outputBytes, layout }: JobPlace): PageRests {
  const end = fileOffset + outputBytes;
  // Without pages nothing needs to be seen together.
  const pageBytes = layout.space?.pageBytes ?? 1;
  const firstPage = Math.min(end, Math.ceil(fileOffset / pageBytes) * pageBytes);
  const lastPage = Math.max(firstPage, end - (end % pageBytes));
  const head = Buffer.allocUnsafeSlow(firstPage - fileOffset);
  const tail = Buffer.allocUnsafeSlow(end - lastPage);
  const pages = PageHoles.from(layout, firstPage, (at, bytes) => {
    if (descriptor === undefined) return;
    try {
      writeAll(descriptor, bytes, at);
    } catch {
      throw new NotPlaced();
    }
  });
  let at = fileOffset;
  const later = runJob(job, (piece) => {
    const pieceEnd = at + piece.length;
    if (at < firstPage) piece.copy(head, at - fileOffset);
    const from = Math.max(0, firstPage - at);
    const to = Math.min(piece.length, lastPage - at);
    if (from < to) pages.push(from === 0 && to === piece.length ? piece : piece.subarray(from, to));
    if (pieceEnd > lastPage) piece.copy(tail, Math.max(0, at - lastPage), Math.max(0, lastPage - at));
    at = pieceEnd;
  });
  if (later !== undefined) throw new Error(`${job.layer} is not decoded in this thread`);
  if (at !== end) throw new Error(`a job of ${outputBytes} bytes has put out ${at - fileOffset}`);
  return { head, tail };
}
