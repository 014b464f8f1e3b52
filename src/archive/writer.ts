/** Writes the chunks of an archive (format.md, section 1) as the C tools do: flags 0, nothing between them. */
import { CHUNK_MAGIC, encodeChunkHeader, SPARSE_MAP_ENTRY_BYTES } from '../format/chunk.js';
import { crc32 } from '../format/crc32.js';
import type { StoredPath } from '../format/stored-path.js';
import { BufferedSink, type SequentialSink } from '../output/sinks.js';

/** A hole's length, and the length of the data after it, in bytes. */
export type SparsePair = readonly [skip: number, length: number];

export class ArchiveWriter {
  readonly #sink: BufferedSink;

  constructor(sink: SequentialSink) {
    this.#sink = new BufferedSink(sink);
  }

  /**
   * A piece of a file.
   *
   * @param crc its CRC-32
   * @throws XbstreamError `XB_PATH_TOO_LONG`, and what the sink throws
   */
  payload(path: StoredPath, fileOffset: number, bytes: Buffer, crc: number): void {
    const { length: payloadBytes } = bytes;
    const header = encodeChunkHeader({ type: 'payload', flags: 0, path, payloadBytes, fileOffset, crc32: crc });
    this.#sink.put([header, bytes]);
  }

  /**
   * A piece of a file with holes, in Percona's form.
   *
   * @param data what lies between the holes, as `pairs` say, in any pieces
   */
  sparse(path: StoredPath, fileOffset: number, pairs: readonly SparsePair[], data: readonly Buffer[]): void {
    const map = Buffer.alloc(pairs.length * SPARSE_MAP_ENTRY_BYTES);
    pairs.forEach(([skip, length], index) => {
      map.writeUInt32LE(skip, index * SPARSE_MAP_ENTRY_BYTES); // skip (offset 0, length 4)
      map.writeUInt32LE(length, index * SPARSE_MAP_ENTRY_BYTES + 4); // length (offset 4, length 4)
    });
    let crc = crc32(map);
    let payloadBytes = 0;
    for (const bytes of data) {
      crc = crc32(bytes, crc);
      payloadBytes += bytes.length;
    }
    const mapEntries = pairs.length;
    const header = encodeChunkHeader({
      type: 'sparse',
      flags: 0,
      path,
      mapEntries,
      payloadBytes,
      fileOffset,
      crc32: crc,
    });
    this.#sink.put([header, map, ...data]);
  }

  /** A file is complete. */
  end(path: StoredPath): void {
    this.#sink.put([encodeChunkHeader({ type: 'end', flags: 0, path })]);
  }

  /** Gives the sink all that was gathered. */
  flush(): void {
    this.#sink.flush();
  }

  /**
   * The archive will not be whole: ends it inside a chunk. The C tools take an end between two chunks for a good one, and
   * would unpack what there is as if that were all.
   */
  breakOff(): void {
    this.#sink.put([Buffer.from(CHUNK_MAGIC, 'latin1')]);
    this.flush();
  }
}
