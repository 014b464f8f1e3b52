import { create as createCommand } from '../commands/create.js';
import { DEFAULT_CHUNK_BYTES, type CreateSource } from '../engine/create-options.js';
import { XbstreamError } from '../errors.js';
import { pathFromText } from '../format/stored-path.js';
import type { FileReport } from '../ui/reporter.js';
import { systemInput, withInput, type ArchiveInput } from './input.js';
import { resultOf, type MakeResult } from './making.js';
import {
  BACKUP_KINDS,
  checkOptions,
  checkText,
  COMMON_KINDS,
  type BackupOptions,
  type CommonOptions,
  type OptionKind,
} from './options.js';
import { checkOutput, withOutput, type ArchiveOutput } from './output.js';
import { runGuarded } from './run.js';

/** As large as a chunk may be made, in bytes. */
const CHUNK_BYTES_MAX = 2 ** 30;

/**
 * What an archive is made of: files and directories (with all that is in them) by their paths, which become their names, in
 * this order; or the files of a tar archive.
 */
export type CreateSources = string | readonly string[] | { tar: ArchiveInput };

/** What {@link create} can be told. */
export interface CreateOptions extends Omit<CommonOptions, 'absoluteNames' | 'decodeStream'>, BackupOptions {
  /** Told of each file that is in the archive. */
  onFile?: ((file: FileReport) => void) | undefined;
  /** What relative paths are relative to. Default: the working directory of the process. */
  directory?: string | undefined;
  /** Leave out aligned blocks of zeros (Percona's sparse chunks; mbstream does not read them). Default: false. */
  sparse?: boolean | undefined;
  /** Most bytes of a file in a chunk, up to 1 GiB. Default: 10 MiB, as the C programs do. */
  chunkBytes?: number | undefined;
  /** Keep leading slashes, and what stands before `..`, in names. Default: they are cut off. */
  absoluteNames?: boolean | undefined;
  /** Where the output is a path: replace a file that is there, once the new one is whole. Default: it is an error. */
  overwrite?: boolean | undefined;
  /** Compress the archive as a whole, in frames that can be decoded by themselves. Default: it is not. */
  compress?: 'gzip' | 'zstd' | 'lz4' | undefined;
  /** Make an archive without files where there are none. Default: that is an error, `XB_EMPTY_ARCHIVE`. */
  allowEmpty?: boolean | undefined;
}

const { signal, onProgress, onWarning, absoluteNames } = COMMON_KINDS;
const KINDS = {
  ...{ signal, onProgress, onWarning, absoluteNames },
  ...BACKUP_KINDS,
  onFile: 'function',
  directory: 'text',
  sparse: 'boolean',
  chunkBytes: 'count',
  overwrite: 'boolean',
  compress: ['gzip', 'zstd', 'lz4'],
  allowEmpty: 'boolean',
} as const satisfies Record<keyof CreateOptions, OptionKind>;

/**
 * Makes an archive, in threads of its own: byte for byte what the C programs write for the same files.
 *
 * @param sources files and directories, or `{ tar: input }`
 * @param target a path, or a stream
 * @returns what was made
 * @throws XbstreamError (as a rejection) `XB_IO`, also for what cannot be stored and for a file that changes while it is read;
 *   `XB_TARGET_EXISTS`; `XB_EMPTY_ARCHIVE`; `XB_USAGE`; of a tar that is damaged `XB_BAD_MAGIC`, `XB_BAD_HEADER`, `XB_TRUNCATED`, and
 *   `XB_UNSUPPORTED_LAYER` for what is no regular file in it
 * @throws the signal's reason after it was aborted, and what a callback threw
 */
export async function create(
  sources: CreateSources,
  target: ArchiveOutput,
  options: CreateOptions = {},
): Promise<MakeResult> {
  checkOptions(options, KINDS);
  const { chunkBytes = DEFAULT_CHUNK_BYTES, overwrite = false } = options;
  if (chunkBytes < 1 || chunkBytes > CHUNK_BYTES_MAX) {
    throw new XbstreamError('XB_USAGE', `the option chunkBytes must be from 1 to ${CHUNK_BYTES_MAX}`);
  }
  const checked = checkOutput(target);
  const source = sourceOf(sources, options);
  if (source.kind === 'files' && options.backup !== undefined) {
    throw new XbstreamError(
      'XB_USAGE',
      'the option backup judges a tar archive, and files are packed as they are named',
    );
  }
  return runGuarded(options, ({ signal, reporter }) =>
    withOutput(checked, overwrite, signal, (choice, either) => {
      const output = { ...choice, compression: options.compress };
      const createFrom = (from: CreateSource): Promise<MakeResult> => {
        const { absoluteNames = false, sparse = false, allowEmpty = false } = options;
        return resultOf(
          (told) =>
            createCommand({ source: from, output, absoluteNames, sparse, allowEmpty, chunkBytes }, told, either),
          reporter,
          options.onFile,
        );
      };
      if (source.kind === 'files') return createFrom(source);
      return withInput(source.input, { decodeStream: false }, either, (input) =>
        createFrom({ kind: 'tar', input, backup: options.backup ?? 'auto' }),
      );
    }),
  );
}

type Source = Extract<CreateSource, { kind: 'files' }> | { kind: 'tar'; input: ArchiveInput };

/** @throws XbstreamError `XB_USAGE`, `XB_IO` */
function sourceOf(sources: CreateSources, { directory = '.' }: CreateOptions): Source {
  if (isTar(sources)) {
    systemInput(sources.tar);
    return { kind: 'tar', input: sources.tar };
  }
  return { kind: 'files', paths: pathsOf(sources).map(pathFromText), directory, recurse: true };
}

function isTar(sources: unknown): sources is { tar: ArchiveInput } {
  return typeof sources === 'object' && sources !== null && 'tar' in sources;
}

function pathsOf(sources: unknown): readonly string[] {
  const paths: readonly unknown[] = Array.isArray(sources) ? (sources as unknown[]) : [sources];
  if (paths.length === 0) throw new XbstreamError('XB_USAGE', 'no files are named');
  for (const path of paths) checkText('the path of a file', path);
  return paths as readonly string[];
}
