/** How files are called that an archive is cut into: `x.00`, `x.01`; `x.aa`, `x.ab`; `xaa`, `xab`; `x.part1`; `thread_0.xbstream`. */

/** A name that says which part it is. */
interface PartName {
  before: string;
  /** The number, or the letters that split(1) counts with. */
  count: string;
  after: string;
}

const LETTER_A = 97;
const LETTERS = 26;

/** What may be the count in a name, the likeliest first. */
function readings(path: string): PartName[] {
  const slash = path.lastIndexOf('/') + 1;
  const folder = path.slice(0, slash);
  const name = path.slice(slash);
  const found: PartName[] = [];
  const letters = /^(.*?)([a-z]{2,})$/.exec(name);
  // split(1) counts with two letters, and with two more each time these are used up.
  if (letters !== null && /[._-]$/.test(letters[1]!)) {
    found.push({ before: folder + letters[1]!, count: letters[2]!, after: '' });
  }
  // `split` names its parts so by default.
  if (/^x[a-z]{2,}$/.test(name)) found.push({ before: `${folder}x`, count: name.slice(1), after: '' });
  for (const match of [...name.matchAll(/\d+/g)].reverse()) {
    const end = match.index + match[0].length;
    found.push({ before: folder + name.slice(0, match.index), count: match[0], after: name.slice(end) });
  }
  return found;
}

/** Which part a count says: numbers as they are; letters from 0 on. */
function numberOf(count: string): number {
  if (/^\d/.test(count)) return Number(count);
  return Buffer.from(count).reduce((sum, letter) => sum * LETTERS + letter - LETTER_A, 0);
}

/** The count of a part, written as another one is. */
function countOf(number: number, like: string): string {
  if (/^\d/.test(like)) return String(number).padStart(like.length, '0');
  let count = '';
  for (let left = number; count.length < like.length; left = Math.floor(left / LETTERS)) {
    count = String.fromCharCode(LETTER_A + (left % LETTERS)) + count;
  }
  return count;
}

/** What split(1) goes on with where counts of one length are used up: behind `89` comes `9000`, behind `yz` comes `zaaa`. */
function longer(count: string): string | undefined {
  const [, nines, rest] = /^(9*)8(9+)$/.exec(count) ?? /^(z*)y(z+)$/.exec(count) ?? [];
  if (nines === undefined || rest?.length !== nines.length + 1) return undefined;
  return rest + (/^\d/.test(count) ? '0' : 'a').repeat(nines.length + 3);
}

/** The names that the part behind one may have. */
export function nextNames(path: string): string[] {
  return readings(path).flatMap(({ before, count, after }) => {
    const counts = [countOf(numberOf(count) + 1, count), longer(count)];
    return counts.filter((next) => next !== undefined).map((next) => before + next + after);
  });
}

/** The names that the part before one may have. */
export function previousNames(path: string): string[] {
  return readings(path)
    .filter(({ count }) => numberOf(count) > 0)
    .map(({ before, count, after }) => before + countOf(numberOf(count) - 1, count) + after);
}

/**
 * How far apart two parts of the same archive are by their names: 1 for one that follows the other.
 *
 * @returns undefined where the names tell nothing
 */
export function partsApart(first: string, second: string): number | undefined {
  if (first === second) return 0;
  if (nextNames(first).includes(second)) return 1;
  for (const { before, count, after } of readings(first)) {
    const isSame = (other: PartName): boolean =>
      other.before === before && other.after === after && /^\d/.test(other.count) === /^\d/.test(count);
    const other = readings(second).find(isSame);
    if (other !== undefined) return numberOf(other.count) - numberOf(count);
  }
  return undefined;
}
