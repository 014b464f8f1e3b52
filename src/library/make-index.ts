import type { Given } from '../verbs/options/option.js';
import { INDEX_OPTIONS, makeIndex as verb } from '../verbs/make-index.js';
import { systemInput, type ArchiveInput } from './caller/input.js';
import { make, type MakeResult } from './caller/making.js';
import { toldBy, type Callbacks } from './caller/options.js';
import type { ArchiveOutput } from './caller/output.js';

/**
 * Makes the index of an archive (docs/index-format.md), in threads of its own: with it as their option `index`, `list`, `info`,
 * `cat` and `extract` read only what they give. Only headers are read; {@link verify} with its option `index` makes one of an
 * archive whose checksums it has held.
 *
 * @param target a path, or a stream
 * @returns what was made, and how much there is in the archive
 * @throws XbstreamError (as a rejection) what is wrong with the archive; `XB_UNSUPPORTED_LAYER` for one that is compressed or
 *   encrypted as a whole; `XB_IO`; `XB_TARGET_EXISTS`; `XB_USAGE`
 * @throws the signal's reason after it was aborted, and whatever a callback threw
 */
export async function makeIndex(
  input: ArchiveInput,
  target: ArchiveOutput,
  options: IndexOptions = {},
): Promise<MakeResult> {
  const told = toldBy(options, INDEX_OPTIONS);
  systemInput(input);
  const { overwrite } = told;
  return make(
    {
      ...{ target, overwrite, compress: 'none', input, stream: options },
      work: (output, choice, context) => verb.run({ ...told, input: choice!, output }, context),
    },
    options,
  );
}

/** Options of {@link makeIndex}. With a path as the output, `overwrite` is about that. */
export interface IndexOptions extends Callbacks, Given<typeof INDEX_OPTIONS> {}
