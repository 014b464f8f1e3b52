/** How damage is told by what goes on after it. */
import { XbstreamError } from '../../errors.js';
import { chunkEnd, type ChunkHeader } from '../../format/chunk.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';

/** A header whose path no file can have, and no writer makes. */
export function brokenPath({ path, archiveOffset }: ChunkHeader): XbstreamError {
  return new XbstreamError('XB_UNSAFE_PATH', 'a damaged chunk header: its path contains a NUL byte', {
    archiveOffset,
    details: [`chunk at archive byte ${archiveOffset}, a path of ${path.length} bytes`],
  });
}

/** A header that cannot be right, and of which enough could be read to go on behind its chunk. */
export function damagedHeader(error: XbstreamError, { path }: ChunkHeader): XbstreamError {
  return new XbstreamError(error.code, `a damaged chunk header in ${pathText(path)}: ${error.message}`, {
    path,
    archiveOffset: error.archiveOffset,
    details: [...error.details, seeminglyOf(path)],
    hints: error.hints,
  });
}

/** Names the file that a damaged header seems to be about; that is not sure enough to call it the one that lost something. */
export function seeminglyAbout(error: XbstreamError, header: ChunkHeader | undefined): XbstreamError {
  if (header === undefined || error.path !== undefined) return error;
  return error.with({ path: header.path, details: [seeminglyOf(header.path)] });
}

/**
 * @param end where the chunk ends by its length, in the archive
 * @param foundAt where another begins
 */
export function wrongLength({ path, archiveOffset }: ChunkHeader, end: number, foundAt: number): XbstreamError {
  return new XbstreamError('XB_BAD_HEADER', `a chunk of ${pathText(path)} says a wrong length`, {
    path,
    archiveOffset,
    details: [
      `chunk at archive byte ${archiveOffset}; by its length it ends at byte ${end}`,
      `no chunk follows there, but one begins at byte ${foundAt}, inside of it`,
    ],
  });
}

/**
 * Bytes stand within a chunk that are not of it; all of its own are there.
 *
 * @param foundAt where the next chunk begins, or the archive ends
 */
export function insertedBytes(header: ChunkHeader, foundAt: number): XbstreamError {
  const { path, archiveOffset } = header;
  return new XbstreamError(
    'XB_BAD_HEADER',
    `${foundAt - chunkEnd(header)} bytes stand within a chunk of ${pathText(path)} that do not belong there`,
    {
      path,
      archiveOffset,
      details: [
        `chunk at archive byte ${archiveOffset}; without them its checksum holds`,
        `the next chunk is at archive byte ${foundAt}: nothing else was lost`,
      ],
    },
  );
}

/** A path reaches behind the end of the archive, and another chunk stands where it should end. */
export function wrongPathLength(archiveOffset: number): XbstreamError {
  return new XbstreamError('XB_BAD_HEADER', 'it says a wrong length of its path', { archiveOffset });
}

/** @param foundAt where reading goes on; undefined where it does not */
export function withWhatIsLost(error: XbstreamError, errorAt: number, foundAt: number | undefined): XbstreamError {
  if (error.code === 'XB_TRUNCATED') return error;
  const lost =
    foundAt === undefined
      ? `nothing can be read from archive byte ${errorAt} to its end`
      : `the next chunk that makes sense is at archive byte ${foundAt}`;
  return error.with({ details: [lost] });
}

function seeminglyOf(path: StoredPath): string {
  return `by what can be read of it, the chunk belongs to ${pathText(path)}`;
}
