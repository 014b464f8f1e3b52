import { Writable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';
import { XbstreamError } from '../../errors.js';
import type { OutputChoice } from '../../output/archive-target.js';
import type { Compression } from '../../output/compression.js';
import { filePath } from './input.js';
import { checkText } from '../../verbs/options/program-options.js';
import { StreamWriter, untilAborted } from './stream-writer.js';

/**
 * Where what is made goes.
 *
 * - `string`, `URL`: a file by its path, or by a `file:` URL. It has its name only when it is whole; until then it is
 *   `.NAME.partial` beside its place, and after a failure it is gone.
 * - a Node `Writable`, a web `WritableStream`: written as fast as it takes it, with about a MiB under way, and ended
 *   (`process.stdout` and `process.stderr` are not). After a failure it is destroyed with the error, and the bytes before that
 *   end in a way that no reader takes for whole. One that takes nothing is waited for, until a `signal` ends that.
 */
export type ArchiveOutput = string | URL | Writable | WritableStream<Uint8Array>;

/** An output in a form that is known to be one. */
export type CheckedOutput = { path: string } | { stream: () => Writable };

/** @throws XbstreamError `XB_USAGE` */
export function checkOutput(output: unknown): CheckedOutput {
  if (output instanceof URL) {
    if (output.protocol === 'file:') return checkOutput(filePath(output));
    throw new XbstreamError('XB_USAGE', `nothing can be written to a URL that begins with ${output.protocol}`);
  }
  if (isWebStream(output)) {
    if (!output.locked) return { stream: () => Writable.fromWeb(output) };
    throw new XbstreamError('XB_USAGE', 'the stream is locked: somebody else writes to it');
  }
  if (isNodeStream(output)) {
    if (!output.writableObjectMode) return { stream: () => output };
    throw new XbstreamError('XB_USAGE', 'the stream takes objects, not bytes');
  }
  if (typeof output === 'object' && output !== null) {
    throw new XbstreamError('XB_USAGE', 'the output must be a path or a stream to write to');
  }
  checkText('the output', output);
  return { path: output as string };
}

function isNodeStream(output: unknown): output is Writable {
  return (
    typeof output === 'object' &&
    output !== null &&
    'write' in output &&
    'destroy' in output &&
    'on' in output &&
    typeof output.write === 'function'
  );
}

function isWebStream(output: unknown): output is WritableStream<Uint8Array> {
  return (
    typeof output === 'object' && output !== null && 'getWriter' in output && typeof output.getWriter === 'function'
  );
}

/** What is made is compressed with. */
export function compressionFor({ compress }: { compress: Compression | 'none' | undefined }): Compression | undefined {
  return compress === 'none' ? undefined : compress;
}

/**
 * Has something made into an output.
 *
 * @param work gets a signal that is also aborted when the output fails
 * @throws XbstreamError `XB_IO` with what a stream failed with as its cause
 * @throws what the work throws
 */
export async function withOutput<Result>(
  output: CheckedOutput,
  told: { overwrite: boolean; compress: Compression | 'none' | undefined },
  signal: AbortSignal,
  work: (choice: OutputChoice, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const compression = compressionFor(told);
  if ('path' in output) {
    return work({ kind: 'path', path: output.path, overwrite: told.overwrite, compression }, signal);
  }
  const writer = new StreamWriter(output.stream());
  try {
    const either = AbortSignal.any([signal, writer.failed]);
    const result = await work({ kind: 'ring', ring: writer.ring, compression }, either);
    // It may wait for the stream for as long as that likes.
    await untilAborted(writer.end(), signal);
    signal.throwIfAborted();
    return result;
  } catch (error) {
    await writer.breakOff(error, signal);
    throw error;
  }
}
