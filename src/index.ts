/**
 * tsxbstream as a library: unpack, inspect and verify MySQL and MariaDB backup streams from a program.
 *
 * @packageDocumentation
 */
export { extract } from './commands/extract.js';
export type { ExistingFilePolicy, ExtractOptions } from './commands/extract-options.js';
export { list } from './commands/list.js';
export type { ListOptions } from './commands/list-options.js';
export { verify } from './commands/verify.js';
export type { VerifyOptions } from './commands/verify-options.js';
export { info } from './commands/info.js';
export type { InfoOptions } from './commands/info-options.js';
export { cat } from './commands/cat.js';
export type { CatOptions } from './commands/cat-options.js';
export type { ContentSink } from './output/stream-output.js';
export { create } from './commands/create.js';
export type { CreateOptions, CreateSource } from './commands/create-options.js';
export { convertToTar } from './commands/convert-to-tar.js';
export type { TarOptions } from './commands/tar-options.js';
export type { OutputChoice } from './output/archive-target.js';
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
export type {
  BackupDescription,
  CommonReporter,
  ExtractSummary,
  FileReport,
  InfoReporter,
  ListedCorrection,
  ListedEntry,
  Listing,
  ListReporter,
  MadeSummary,
  MakeReporter,
  ProgressReport,
  Reporter,
  Verification,
  VerifyReporter,
} from './ui/reporter.js';
