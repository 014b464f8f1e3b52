import { tmpdir } from 'node:os';
import type { Readable } from 'node:stream';
import { convertToTar as convertCommand } from '../commands/convert-to-tar.js';
import type { TarOptions as TarCommandOptions } from '../engine/tar-options.js';
import { XbstreamError } from '../errors.js';
import { RingReadable } from '../output/ring-readable.js';
import { MTIME_MAX_SECONDS } from '../output/tar-header.js';
import type { FileReport } from '../ui/reporter.js';
import { giveBackUnread } from './archive-pieces.js';
import { systemInput, withInput, type ArchiveInput } from './input.js';
import { resultOf, type MakeResult } from './making.js';
import {
  BACKUP_KINDS,
  checkOptions,
  COMMON_KINDS,
  DECODING_KINDS,
  keyOption,
  SELECTION_KINDS,
  selectionOption,
  type BackupOptions,
  type CommonOptions,
  type DecodingOptions,
  type OptionKind,
  type SelectionOptions,
} from './options.js';
import { checkOutput, withOutput, type ArchiveOutput } from './output.js';
import { run, runGuarded } from './run.js';

/** What {@link convertToTar} can be told. */
export interface TarOptions extends CommonOptions, SelectionOptions, DecodingOptions, BackupOptions {
  /** Told of each file that is in the tar. */
  onFile?: ((file: FileReport) => void) | undefined;
  /** Undo compression, by the stored names' suffixes. Default: false. (Encryption is undone where a `key` is given.) */
  decompress?: boolean | undefined;
  /** Keep holes, as GNU tar does, instead of writing zeros. Default: false. */
  sparse?: boolean | undefined;
  /** The time of all files, from 1970 to 2242. Default: the beginning of 1970, so that the same archive gives the same tar. */
  mtime?: Date | undefined;
  /** Of an input that comes as a stream, write each file as soon as it is whole; a later correction is an error. Default: false. */
  stream?: boolean | undefined;
  /** Where files of an input that comes as a stream wait for its end. Default: `os.tmpdir()`. */
  tmpDir?: string | undefined;
  /** Take an input without a single chunk for whole. Default: it is an error, `XB_EMPTY_ARCHIVE`. */
  allowEmpty?: boolean | undefined;
  /** Most threads. Default: as many as help. */
  parallel?: number | undefined;
}

/** What {@link writeTar} can be told. */
export interface WriteTarOptions extends TarOptions {
  /** Where the output is a path: replace a file that is there, once the new one is whole. Default: it is an error. */
  overwrite?: boolean | undefined;
}

const KINDS = {
  ...COMMON_KINDS,
  ...BACKUP_KINDS,
  ...SELECTION_KINDS,
  ...DECODING_KINDS,
  onFile: 'function',
  decompress: 'boolean',
  sparse: 'boolean',
  mtime: 'date',
  stream: 'boolean',
  tmpDir: 'text',
  allowEmpty: 'boolean',
  parallel: 'count',
} as const satisfies Record<keyof TarOptions, OptionKind>;

/**
 * An archive as a tar of what it holds when all its corrections are applied, as a stream; made in threads of its own. The same
 * archive gives the same tar, byte for byte, from every input.
 *
 * @returns a stream of bytes, which begins to work when it is read. It fails with an XbstreamError of any code, with the
 *   signal's reason after that was aborted, or with what a callback threw; what came before is then no whole tar, so that
 *   whoever passes it on has to pass on the failure, too ({@link writeTar} does). Destroying it ends the work
 * @throws XbstreamError `XB_USAGE`, `XB_BAD_KEY` (at once)
 */
export function convertToTar(input: ArchiveInput, options: TarOptions = {}): Readable {
  checkOptions(options, KINDS);
  const commandOptions = tarOptions(options);
  systemInput(input);
  const { signal, onFile } = options;
  return new RingReadable(
    (ring, destroyed) =>
      run(
        input,
        { ...options, signal: signal === undefined ? destroyed : AbortSignal.any([signal, destroyed]) },
        (tools) =>
          resultOf(
            (told) =>
              convertCommand(
                { ...commandOptions, input: tools.input, output: { kind: 'ring', ring } },
                told,
                tools.signal,
              ),
            tools.reporter,
            onFile,
          ),
      ),
    () => giveBackUnread(input),
    signal,
  );
}

/**
 * Converts an archive to a tar, as {@link convertToTar} does, and writes that to a file or a stream.
 *
 * @param target a path, or a stream
 * @returns what was made
 * @throws XbstreamError any code (as a rejection)
 * @throws the signal's reason after it was aborted, and what a callback threw
 */
export async function writeTar(
  input: ArchiveInput,
  target: ArchiveOutput,
  options: WriteTarOptions = {},
): Promise<MakeResult> {
  checkOptions(options, { ...KINDS, overwrite: 'boolean' });
  const commandOptions = tarOptions(options);
  systemInput(input);
  const checked = checkOutput(target);
  return runGuarded(options, ({ signal, reporter }) =>
    withOutput(checked, options.overwrite ?? false, signal, (output, either) =>
      withInput(input, options, either, (choice) =>
        resultOf(
          (told) => convertCommand({ ...commandOptions, input: choice, output }, told, either),
          reporter,
          options.onFile,
        ),
      ),
    ),
  );
}

/** @throws XbstreamError `XB_USAGE`, `XB_BAD_KEY` */
function tarOptions(options: TarOptions): Omit<TarCommandOptions, 'input' | 'output'> {
  return {
    selection: selectionOption(options),
    decompress: options.decompress ?? false,
    key: keyOption(options.key),
    encrypted: options.allowEncrypted === true ? 'allow' : 'refuse',
    decompressThreads: options.decompressThreads,
    decryptThreads: options.decryptThreads,
    parallel: options.parallel,
    absoluteNames: options.absoluteNames ?? false,
    allowEmpty: options.allowEmpty ?? false,
    backup: options.backup ?? 'auto',
    sparse: options.sparse ?? false,
    mtime: secondsOf(options.mtime),
    stream: options.stream ?? false,
    tmpDir: options.tmpDir ?? tmpdir(),
  };
}

function secondsOf(time: Date | undefined): number {
  const seconds = Math.floor((time?.getTime() ?? 0) / 1000);
  if (seconds >= 0 && seconds <= MTIME_MAX_SECONDS) return seconds;
  throw new XbstreamError('XB_USAGE', 'the option mtime must be a time from 1970 to 2242');
}
