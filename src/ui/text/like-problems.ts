/** Puts together what says the same, where there is much of it. In the order of the first of each. */
import type { XbstreamError } from '../../errors.js';
import { formatNumber } from '../units.js';
import { exactPath, printablePath } from '../printable.js';

/** Of more than so many problems that say the same, one is told and the others are counted. */
const MOST_ALIKE = 3;
/** Most files that are named beside the one that was told. */
const MOST_NAMED = 5;

/** A problem, and those that say the same of other files or places; in the order in which they came up. */
export interface LikeProblems {
  first: XbstreamError;
  others: readonly XbstreamError[];
}

export function likeProblems(problems: readonly XbstreamError[]): LikeProblems[] {
  const groups = new Map<string, XbstreamError[]>();
  for (const problem of problems) {
    const kind = kindOf(problem);
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [problem]);
    else group.push(problem);
  }
  const isFew = (group: readonly XbstreamError[]): boolean => group.length <= MOST_ALIKE;
  if ([...groups.values()].every(isFew)) return problems.map((first) => ({ first, others: [] }));
  const found: LikeProblems[] = [];
  for (const problem of problems) {
    const group = groups.get(kindOf(problem))!;
    if (isFew(group)) found.push({ first: problem, others: [] });
    else if (group[0] === problem) found.push({ first: problem, others: group.slice(1) });
  }
  return found;
}

/** What a problem says, but for the file and the place. */
function kindOf({ code, path, message }: XbstreamError): string {
  const plain = path === undefined ? message : message.replaceAll(exactPath(path).text, '\0');
  return `${code} ${plain.replace(/\d+/g, '0')}`;
}

/** Tells of the others: `the same is wrong with 496 more files: a, b, ...`. Undefined where there are none. */
export function othersLine({ others }: LikeProblems): string | undefined {
  if (others.length === 0) return undefined;
  const paths = new Set(others.flatMap(({ path }) => path ?? []));
  const count = formatNumber(others.length);
  if (paths.size < others.length) return `the same ${count} more times (-v tells all of them, --json too)`;
  const named = [...paths].slice(0, MOST_NAMED).map(printablePath).join(', ');
  const more = paths.size > MOST_NAMED ? ', ...' : '';
  return `the same is wrong with ${count} more files: ${named}${more} (-v tells all of them, --json too)`;
}
