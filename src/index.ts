/**
 * tsxbstream as a library: unpack, inspect, verify and make MySQL and MariaDB backup streams from a program.
 *
 * @packageDocumentation
 */
import './require-node.js';
export { extract, type ExtractOptions, type ExtractResult } from './library/extract.js';
export type { ExistingFilePolicy } from './output/output.js';
export { list, type ListOptions, type ListResult } from './library/list.js';
export { verify, type VerifyOptions, type VerifyResult } from './library/verify.js';
export { info, type InfoOptions, type InfoResult } from './library/info.js';
export { cat, type CatOptions } from './library/cat.js';
export { makeIndex, type IndexOptions } from './library/make-index.js';
export { decode, type DecodeOptions, type DecodeResult } from './library/decode.js';
export { create, type CreateOptions, type CreateSources } from './library/create.js';
export { convertToTar, writeTar, type TarOptions, type WriteTarOptions } from './library/convert-to-tar.js';
export type { MakeResult } from './library/caller/making.js';
export type { Owner } from './output/directory/owner.js';
export type { ArchiveOutput } from './library/caller/output.js';
export {
  readChunks,
  type ArchiveChunk,
  type PayloadPiece,
  type ReadChunksOptions,
} from './library/reading/read-chunks.js';
export { readEntries, type ReadEntriesOptions } from './library/reading/read-entries.js';
export type { ArchiveEntry, FileEntry, RemovedEntry, RenamedEntry } from './library/reading/archive-entry.js';
export type { ArchiveInput, ArchiveParts } from './library/caller/input.js';
export type { ByteStream } from './input/stream/pieces.js';
export type {
  BackupOptions,
  Callbacks,
  CommonOptions,
  DecodingOptions,
  FileOptions,
  ProblemOptions,
  SelectionOptions,
} from './library/caller/options.js';
export type { Compression } from './output/compression.js';
export type { BackupChoice } from './backup/backup-state.js';
export { XbstreamError, type ErrorFacts, type XbstreamErrorCode } from './errors.js';
export {
  CHUNK_MAGIC,
  decodeChunkHeader,
  encodeChunkHeader,
  FLAG_IGNORABLE,
  FLAG_REWRITE,
  MAX_HEADER_BYTES,
  type ChunkHeader,
  type EndHeader,
  type IgnorableHeader,
  type NewChunkHeader,
  type PayloadHeader,
  type RemoveHeader,
  type RenameHeader,
  type SeekHeader,
  type SparseHeader,
} from './format/chunk.js';
export { isUtf8, pathBytes, pathText, type StoredPath } from './format/stored-path.js';
export type {
  BackupDescription,
  BackupState,
  DecodeSummary,
  ExtractSummary,
  FileReport,
  KeyPlugin,
  ListedCorrection,
  ListedEntry,
  Listing,
  NextStep,
  ProgressReport,
  ReplicationStart,
  Verification,
} from './ui/reporter.js';
