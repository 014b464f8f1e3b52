/** The beginnings of tablespaces, which tell their numbers: by these xtrabackup 8.4 tells which were renamed or dropped. */
import type { DecryptionKey } from '../../codec/codec.js';
import { DecodeChain } from '../../codec/decode-chain.js';
import { layersOf } from '../../codec/stored-layers.js';
import { isRefusal, XbstreamError } from '../../errors.js';
import { decodeChunkHeader, MAX_HEADER_BYTES, SPARSE_MAP_ENTRY_BYTES } from '../../format/chunk.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import type { Source } from '../../input/source.js';
import { spaceIdOf } from './table-files.js';
import type { TableMetadata } from './table-selection.js';

/** How much of a file is read: a block of any layer is smaller. */
const STORED_BYTES = 256 * 1024;
/** A `.meta` file is smaller, and the number of a tablespace is at its beginning. */
const DECODED_BYTES = 1024;
/** After so many files other things get their turn. */
const FILES_AT_A_TIME = 64;

/** A file whose content begins with the number of a tablespace, or tells it. */
export interface SpaceIdFile {
  path: StoredPath;
  /** Where the archive mentions it first. */
  archiveOffset: number;
}

/** Nothing more has to be decoded. */
class Enough extends Error {}

/**
 * Reads them out of an archive that can be read by position.
 *
 * @returns also the errors for those that cannot be read: each may be one that was renamed
 * @throws XbstreamError `XB_IO`
 */
export async function readHeads(
  source: Source,
  files: readonly SpaceIdFile[],
  key: DecryptionKey | undefined,
): Promise<{ metadata: TableMetadata[]; errors: XbstreamError[] }> {
  const metadata: TableMetadata[] = [];
  const errors: XbstreamError[] = [];
  for (const [count, file] of files.entries()) {
    if (count % FILES_AT_A_TIME === 0) await new Promise((resolve) => setImmediate(resolve));
    const { path } = file;
    try {
      const content = headOf(source, file, key);
      if (spaceIdOf(path, content) === undefined)
        throw new XbstreamError('XB_BAD_LAYER', 'where its number must be there is none');
      metadata.push({ path, content });
    } catch (error) {
      if (!(error instanceof XbstreamError) || isRefusal(error)) throw error;
      errors.push(unread(path, error));
    }
  }
  return { metadata, errors };
}

/** The first bytes of a file, with all undone that was done to it; fewer, perhaps none, where they are not at its beginning. */
function headOf(source: Source, { path, archiveOffset }: SpaceIdFile, key: DecryptionKey | undefined): Buffer {
  const found = source.bytesAt!(archiveOffset, MAX_HEADER_BYTES);
  const header = decodeChunkHeader(found, 0, found.length, archiveOffset);
  if ((header?.type !== 'payload' && header?.type !== 'sparse') || header.fileOffset !== 0) return Buffer.alloc(0);
  // The first page of a tablespace is never a hole.
  const mapBytes = header.type === 'sparse' ? header.mapEntries * SPARSE_MAP_ENTRY_BYTES : 0;
  const from = archiveOffset + header.headerBytes + mapBytes;
  const stored = source.bytesAt!(from, Math.min(header.payloadBytes, STORED_BYTES));
  const { layers } = layersOf(path, { decrypt: true, decompress: true });
  if (layers.length === 0) return stored;
  let head = Buffer.alloc(0);
  const output = (piece: Buffer): void => {
    head = Buffer.concat([head, piece.subarray(0, DECODED_BYTES)]);
    if (head.length >= DECODED_BYTES) throw new Enough();
  };
  const chain = new DecodeChain({ layers, key, output });
  try {
    chain.push(stored);
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  } finally {
    chain.close();
  }
  return head;
}

function unread(path: StoredPath, { code, message, hints }: XbstreamError): XbstreamError {
  return new XbstreamError(code, `which tablespace ${pathText(path)} is cannot be read`, {
    path,
    details: [
      message,
      'tables were renamed or dropped while the backup was taken: it may be one, and of a table asked for',
    ],
    hints,
  });
}
