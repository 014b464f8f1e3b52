import { XbstreamError } from '../errors.js';
import { pathFromText } from '../format/stored-path.js';
import { create as verb, CREATE_OPTIONS, type FilesSource } from '../verbs/create.js';
import type { Given } from '../verbs/options/option.js';
import { checkText } from '../verbs/options/program-options.js';
import { systemInput, type ArchiveInput } from './caller/input.js';
import { make, type MakeResult } from './caller/making.js';
import { toldBy, type Callbacks, type FileOptions } from './caller/options.js';
import type { ArchiveOutput } from './caller/output.js';

/**
 * Makes an archive, in threads of its own: byte for byte what the C programs write for the same files.
 *
 * @param sources files and directories, or `{ tar: input }`
 * @param target a path, or a stream
 * @returns what was made
 * @throws XbstreamError (as a rejection) `XB_IO`, also for what cannot be stored and for a file that changes while it is read;
 *   `XB_TARGET_EXISTS`; `XB_EMPTY_ARCHIVE`; `XB_USAGE`; of a tar that is damaged `XB_BAD_MAGIC`, `XB_BAD_HEADER`, `XB_TRUNCATED`, and
 *   `XB_UNSUPPORTED_LAYER` for what is no regular file in it
 * @throws the signal's reason after it was aborted, and whatever a callback threw
 */
export async function create(
  sources: CreateSources,
  target: ArchiveOutput,
  options: CreateOptions = {},
): Promise<MakeResult> {
  const told = toldBy(options, CREATE_OPTIONS, 'onFile');
  const source = sourceOf(sources, told.directory);
  if (source.kind === 'files' && options.backup !== undefined) {
    throw new XbstreamError(
      'XB_USAGE',
      'the option backup judges a tar archive, and files are packed as they are named',
    );
  }
  const { overwrite, compress, backup } = told;
  return make(
    {
      ...{ target, overwrite, compress },
      input: source.kind === 'tar' ? source.input : undefined,
      stream: { decodeStream: false },
      work: (output, input, context) => {
        const from =
          source.kind === 'tar' ? { input: input!, source: { kind: source.kind, input: input!, backup } } : { source };
        return verb.run({ ...told, ...from, output }, context);
      },
    },
    options,
  );
}

/**
 * What an archive is made of: files and directories (with all that is in them) by their paths, which become their names, in
 * this order; or the files of a tar archive.
 */
export type CreateSources = string | readonly string[] | { tar: ArchiveInput };

/** Options of {@link create}. With a path as the output, `overwrite` is about that; `backup` is about a tar archive. */
export interface CreateOptions extends Callbacks, FileOptions, Given<typeof CREATE_OPTIONS> {}

type Source = FilesSource | { kind: 'tar'; input: ArchiveInput };

/** @throws XbstreamError `XB_USAGE`, `XB_IO` */
function sourceOf(sources: CreateSources, directory = '.'): Source {
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
