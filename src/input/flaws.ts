/** What an input knows to be wrong with it, beside what its chunks tell. */
import { InputError } from './input-error.js';

/** The most flaws of a kind that are named. */
const NAMED_MAX = 21;

/** How many there are of a kind, and what to say of the first ones. Plain data, that can be kept. */
export interface Flaw {
  count: number;
  /** At most {@link NAMED_MAX}. */
  named: readonly string[];
}

/** Flaws of a backup that lies as objects. */
export interface InputFlaws {
  /** Objects that are not there. */
  missing: Flaw;
  /** Objects that hold something else than their names say. */
  mislabelled: Flaw;
}

export const NO_FLAW: Flaw = { count: 0, named: [] };

export function flawOf(texts: readonly string[]): Flaw {
  return { count: texts.length, named: texts.slice(0, NAMED_MAX) };
}

/** What several that have looked at parts of one input have found: what two of them name is one. */
export function together(found: readonly Flaw[]): Flaw {
  const named = new Set(found.flatMap((flaw) => flaw.named));
  const told = found.reduce((sum, flaw) => sum + flaw.named.length, 0);
  const count = found.reduce((sum, flaw) => sum + flaw.count, 0) - told + named.size;
  return { count, named: [...named].slice(0, NAMED_MAX) };
}

/** The error that tells of flaws; undefined where there is none. */
export function flawsError({ missing, mislabelled }: InputFlaws): InputError | undefined {
  const [first, ...others] = [...missing.named, ...mislabelled.named].slice(0, NAMED_MAX);
  if (first === undefined) return undefined;
  const more = missing.count + mislabelled.count - 1 - others.length;
  return new InputError(missing.count > 0 ? 'XB_GAP' : 'XB_BAD_HEADER', first, {
    details: [...others, ...(more > 0 ? [`and so it is with ${more} more`] : [])],
    hints: ['fetch the objects again, all of them'],
  });
}
