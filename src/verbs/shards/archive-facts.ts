/** What the results of shards say of the archive as a whole. */
import { inputName, inputSize, type InputChoice } from '../../input/open-source.js';
import type { Source } from '../../input/source.js';

/** How large it is, in bytes, where it can be read at any place. */
export function archiveSize(source: Source, input: InputChoice): number | undefined {
  if (!source.seekable) return undefined;
  // A device has a size, too, but does not tell it: 0 may be all that is known.
  return source.totalBytes ?? (input.kind === 'address' || inputSize(input) !== undefined ? 0 : undefined);
}

/** More names than this, in bytes, have no room in a line of a result: then they are told as one. */
const NAMES_BYTES_MAX = 128 * 1024;

/** Its names, without what is secret in them; those of its parts, where it has several; none for stdin. */
export function archiveNames(input: InputChoice): string[] {
  if (input.kind === 'parts' && Buffer.byteLength(JSON.stringify(input.paths)) <= NAMES_BYTES_MAX)
    return [...input.paths];
  if (input.kind === 'parts') return [inputName(input)];
  return input.kind === 'path' || input.kind === 'address' ? [inputName(input)] : [];
}

/** The archive of that name, for what is told of it. */
export function archiveOfNames(names: readonly string[]): InputChoice {
  const [name] = names;
  if (name === undefined) return { kind: 'descriptor', fd: 0 };
  return names.length === 1 ? { kind: 'path', path: name } : { kind: 'parts', paths: names };
}
