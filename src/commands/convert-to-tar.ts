import { TAR_THREAD } from '../engine/start-thread.js';
import { inputSize } from '../input/input-size.js';
import type { MakeReporter } from '../ui/reporter.js';
import { make } from './make.js';
import type { TarOptions } from '../engine/tar-options.js';

/**
 * Converts an archive to a tar of what it holds when all its corrections are applied. The same archive gives the same tar,
 * byte for byte, from a file and from a pipe.
 *
 * @param signal ends it early
 * @throws XbstreamError any code; the tar then ends in the middle of a file
 * @throws the signal's reason after it was aborted
 */
export async function convertToTar(options: TarOptions, reporter: MakeReporter, signal: AbortSignal): Promise<void> {
  const module = TAR_THREAD;
  const { input, decompress, key } = options;
  const decodes = decompress || key !== undefined;
  await make({ module, options, input, totalBytes: inputSize(input), decodes }, reporter, signal);
}
