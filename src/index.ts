/**
 * tsxbstream as a library: unpack MySQL and MariaDB backup streams from a program.
 *
 * @packageDocumentation
 */
export { extract } from './commands/extract.js';
export type { ExistingFilePolicy, ExtractOptions } from './commands/extract-options.js';
export type { SelectionOptions } from './archive/selection.js';
export type { CipherName, DecryptionKey } from './codec/codec.js';
export { XbstreamError, type ErrorFacts, type XbstreamErrorCode } from './errors.js';
export {
  CHUNK_MAGIC,
  decodeChunkHeader,
  encodeChunkHeader,
  FLAG_IGNORABLE,
  FLAG_REWRITE,
  MAX_HEADER_BYTES,
  type ChunkHeader,
  type NewChunkHeader,
} from './format/chunk.js';
export { isUtf8, pathBytes, pathText, type StoredPath } from './format/stored-path.js';
export type { InputChoice } from './input/open-source.js';
export type { ExtractSummary, FileReport, ProgressReport, Reporter } from './ui/reporter.js';
