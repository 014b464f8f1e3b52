/** What a failed extraction leaves in its target, and how its errors tell of that. */
import type { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { OutputFile } from '../output/output.js';

/** Most unfinished files that an error names. */
const NAMED_UNFINISHED = 5;

/** A stored file, and what there is of it. */
export interface UnfinishedFile {
  readonly path: StoredPath;
  readonly content: Pick<OutputFile, 'path' | 'abandon'> | undefined;
  readonly isWritten: boolean;
}

/** A partial file that is left of one that is unfinished. */
export interface LeftFile {
  path: StoredPath;
  /** Where it was to be, and where it is, in the target. */
  finalPath: StoredPath;
  partial: StoredPath;
}

/** What is left of an extraction that did not end well. */
export interface Residue {
  errors: XbstreamError[];
  /** Partial files, in the target. */
  partials: StoredPath[];
}

/**
 * Leaves what is unfinished behind and says so in the errors.
 *
 * @param complete how many files are complete; undefined where none is written
 * @param removePartial take the partial files away instead
 */
export function leaveResidue(
  entries: Iterable<UnfinishedFile>,
  errors: readonly XbstreamError[],
  complete: number | undefined,
  removePartial: boolean,
): Residue {
  return tellResidue(leaveUnfinished(entries, removePartial), errors, complete);
}

/** Leaves what is unfinished behind, or takes it away. @returns what is left */
export function leaveUnfinished(entries: Iterable<UnfinishedFile>, removePartial: boolean): LeftFile[] {
  const left: LeftFile[] = [];
  for (const { path, content, isWritten } of entries) {
    if (isWritten) continue;
    const partial = content?.abandon(removePartial);
    if (partial !== undefined) left.push({ path, finalPath: content!.path, partial });
  }
  return left;
}

/** Says in the errors what is left, and how many files are complete. */
export function tellResidue(
  files: readonly LeftFile[],
  errors: readonly XbstreamError[],
  complete: number | undefined,
): Residue {
  // Errors of the archive name a file as it is stored, those of the output by its place there.
  // More than one may be of the same name, where the archive corrects what was lost.
  const partials = new Map<string, Set<StoredPath>>();
  for (const { path, finalPath, partial } of files) {
    for (const name of [path, finalPath]) partials.set(name, (partials.get(name) ?? new Set()).add(partial));
  }
  const left = [...new Set(files.map(({ partial }) => partial))];
  const isWorthTelling = complete !== undefined && (complete > 0 || left.length > 0);
  const tally = isWorthTelling ? [`${complete} ${complete === 1 ? 'file is' : 'files are'} complete`] : [];
  const ownOf = ({ path }: XbstreamError): StoredPath[] => [
    ...((path === undefined ? undefined : partials.get(path)) ?? []),
  ];
  // What may have concerned any file names none: the first error tells of those that no error is about.
  const claimed = new Set(errors.flatMap(ownOf));
  const told = errors.map((error, index) => {
    const own = ownOf(error);
    const named = own.length === 0 ? '' : `the file was left as ${own.map(pathText).join(' and ')}; `;
    const others = index > 0 ? [] : left.filter((partial) => !claimed.has(partial));
    return error.with({
      partial: own[0],
      details: [...tally.map((text) => named + text), ...alsoLeft(others)],
    });
  });
  return { errors: told, partials: left };
}

function alsoLeft(partials: readonly StoredPath[]): string[] {
  if (partials.length === 0) return [];
  const named = partials.slice(0, NAMED_UNFINISHED).map(pathText).join(', ');
  const more = partials.length - NAMED_UNFINISHED;
  return [`also unfinished: ${named}${more > 0 ? ` and ${more} more` : ''}`];
}
