/** What the results of shards say of the archive as a whole. */
import { inputName, positionOf, type InputChoice, inputSize } from '../../input/open-source.js';
import type { Source } from '../../input/source.js';

/** How large it is, in bytes, where it can be read at any place. */
export function archiveSize(source: Source, input: InputChoice): number | undefined {
  const bytes = inputSize(input);
  if (!source.seekable || bytes === undefined) return undefined;
  return input.kind === 'descriptor' ? Math.max(0, bytes - positionOf(input, input.fd)) : bytes;
}

/** Its names; those of its parts, where it has several; none for stdin. */
export function archiveNames(input: InputChoice): string[] {
  if (input.kind === 'parts') return [...input.paths];
  return input.kind === 'path' ? [inputName(input)] : [];
}

/** The archive of that name, for what is told of it. */
export function archiveOfNames(names: readonly string[]): InputChoice {
  const [name] = names;
  if (name === undefined) return { kind: 'descriptor', fd: 0 };
  return names.length === 1 ? { kind: 'path', path: name } : { kind: 'parts', paths: names };
}
