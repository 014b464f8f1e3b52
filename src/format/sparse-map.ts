import { XbstreamError } from '../errors.js';
import { SPARSE_MAP_ENTRY_BYTES, type SparseHeader } from './chunk.js';
import { pathText } from './stored-path.js';

/** The checked map of a sparse chunk: pairs of a hole's length and the length of the data after it, in bytes. */
export interface SparseMap {
  /** Pairs `skip u32, length u32`, as stored. */
  bytes: Buffer;
  entries: number;
  /** Bytes of the file that the chunk covers: all holes and all data. */
  spanBytes: number;
}

/**
 * Checks the map of a sparse chunk against its header (format.md, "Chunk", `S`).
 *
 * @param bytes the map, `header.mapEntries` pairs of skip u32 and length u32
 * @throws XbstreamError `XB_BAD_SPARSE_MAP` when the lengths do not add up to the payload, or the span is impossible
 */
export function checkSparseMap(header: SparseHeader, bytes: Buffer): SparseMap {
  let holeBytes = 0;
  let dataBytes = 0;
  for (let at = 0; at < bytes.length; at += SPARSE_MAP_ENTRY_BYTES) {
    holeBytes += bytes.readUInt32LE(at); // skip (offset 0, length 4)
    dataBytes += bytes.readUInt32LE(at + 4); // length (offset 4, length 4)
  }
  const spanBytes = holeBytes + dataBytes;
  if (dataBytes !== header.payloadBytes || header.fileOffset + spanBytes > Number.MAX_SAFE_INTEGER) {
    throw new XbstreamError('XB_BAD_SPARSE_MAP', `the sparse map does not fit its chunk in ${pathText(header.path)}`, {
      path: header.path,
      archiveOffset: header.archiveOffset,
      details: [
        `chunk at archive byte ${header.archiveOffset}, ${header.mapEntries} map entries`,
        `expected lengths that add up to the payload's ${header.payloadBytes} bytes, found ${dataBytes}`,
      ],
    });
  }
  return { bytes, entries: header.mapEntries, spanBytes };
}
