import type { Readable } from 'node:stream';
import { readableOf } from './caller/ring-readable.js';
import { convertToTar as verb, TAR_OPTIONS } from '../verbs/convert-to-tar.js';
import { omit, type Given } from '../verbs/options/option.js';
import { systemInput, type ArchiveInput } from './caller/input.js';
import { make, type MakeResult } from './caller/making.js';
import { toldBy, type Callbacks, type FileOptions } from './caller/options.js';
import { compressionFor, type ArchiveOutput } from './caller/output.js';

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
  const told = toldBy(options, WITHOUT_FILE, 'onFile');
  return readableOf(input, options, (ring, choice, caller) => {
    const output = { kind: 'ring' as const, ring, compression: compressionFor(told) };
    const work = verb.run({ ...told, overwrite: false, input: choice, output }, caller);
    return caller.resultOf(work, choice);
  });
}

/** Where there is no file to write. */
const WITHOUT_FILE = omit(TAR_OPTIONS, 'overwrite');

/** Options of {@link writeTar}. */
export interface WriteTarOptions extends Callbacks, FileOptions, Given<typeof TAR_OPTIONS> {}

/** Options of {@link convertToTar}. */
export type TarOptions = Omit<WriteTarOptions, 'overwrite'>;

/**
 * Converts an archive to a tar, as {@link convertToTar} does, and writes that to a file or a stream.
 *
 * @param target a path, or a stream
 * @returns what was made
 * @throws XbstreamError any code (as a rejection)
 * @throws the signal's reason after it was aborted, and whatever a callback threw
 */
export async function writeTar(
  input: ArchiveInput,
  target: ArchiveOutput,
  options: WriteTarOptions = {},
): Promise<MakeResult> {
  const told = toldBy(options, TAR_OPTIONS, 'onFile');
  systemInput(input);
  const { overwrite, compress } = told;
  return make(
    {
      ...{ target, overwrite, compress, input, stream: options },
      work: (output, choice, context) => verb.run({ ...told, input: choice!, output }, context),
    },
    options,
  );
}
