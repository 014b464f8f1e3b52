import { CREATE_THREAD } from '../engine/start-thread.js';
import type { MakeReporter } from '../ui/reporter.js';
import type { CreateOptions } from '../engine/create-options.js';
import { make } from './make.js';

/**
 * Makes an archive of files, byte for byte what the C tools write for them.
 *
 * @param signal ends it early; nothing is left under the final name
 * @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS`
 * @throws the signal's reason after it was aborted
 */
export async function create(options: CreateOptions, reporter: MakeReporter, signal: AbortSignal): Promise<void> {
  const module = CREATE_THREAD;
  const { source } = options;
  const input = source.kind === 'tar' ? source.input : undefined;
  await make({ module, options, input, totalBytes: undefined, decodes: false }, reporter, signal);
}
