import { XbstreamError } from '../errors.js';
import { decodeChunkHeader, MAX_HEADER_BYTES } from '../format/chunk.js';
import { PIECE_BYTES, type Source } from '../input/source.js';
import { ChunkReader } from './chunk-reader.js';
import type { Extents } from './extents.js';
import { chunkEnd } from './header-guess.js';

/** Who takes the content of an entry. */
export interface ExtentConsumer {
  /** `bytes` are lent until the call returns. */
  take(bytes: Buffer, fileOffset: number): void;
  /** A piece was taken: what to wait for. */
  settled(): Promise<void>;
}

/**
 * Reads the content of one entry, chunk by chunk in the order of the file, and nothing else of the archive.
 *
 * @throws XbstreamError what {@link ChunkReader} throws, `XB_TRUNCATED`, `XB_IO`, and what the consumer throws
 */
export async function readExtents(source: Source, extents: Extents, consumer: ExtentConsumer): Promise<void> {
  for (const archiveOffset of extents.inFileOrder()) await readChunk(source, archiveOffset, consumer);
}

async function readChunk(source: Source, archiveOffset: number, consumer: ExtentConsumer): Promise<void> {
  const head = source.bytesAt!(archiveOffset, MAX_HEADER_BYTES);
  const header = decodeChunkHeader(head, 0, head.length, archiveOffset);
  if (header === undefined) throw shortened(archiveOffset);
  const end = chunkEnd(header);
  const reader = new ChunkReader(
    {
      chunk: () => 'take',
      payload: (bytes, fileOffset) => consumer.take(bytes, fileOffset),
      chunkEnd: () => undefined,
    },
    archiveOffset,
  );
  while (reader.archiveOffset < end) {
    const piece = source.bytesAt!(reader.archiveOffset, Math.min(PIECE_BYTES, end - reader.archiveOffset));
    if (piece.length === 0) throw shortened(reader.archiveOffset);
    reader.push(piece);
    await consumer.settled();
  }
}

function shortened(archiveOffset: number): XbstreamError {
  return new XbstreamError('XB_TRUNCATED', 'the archive has become shorter while it was being read', { archiveOffset });
}
