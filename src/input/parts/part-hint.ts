/** Notices that an input is one of several parts, from the names that lie beside it. */
import { existsSync } from 'node:fs';
import type { XbstreamError, XbstreamErrorCode } from '../../errors.js';
import { shellWord } from '../../format/shell-word.js';
import { lookAt } from '../look.js';
import type { InputChoice } from '../open-source.js';
import { nextNames, previousNames } from './part-names.js';

/** What is wrong with a part of an archive that is read alone. */
const OF_A_PART: ReadonlySet<XbstreamErrorCode> = new Set([
  'XB_TRUNCATED',
  'XB_MISSING_EOF',
  'XB_GAP',
  'XB_BAD_MAGIC',
  'XB_LAYER_TRUNCATED',
]);
/** What is wrong with an archive whose last part is missing. */
const OF_ALL_BUT_THE_LAST: ReadonlySet<XbstreamErrorCode> = new Set(['XB_TRUNCATED', 'XB_LAYER_TRUNCATED']);
/** So many that lie beside each other are named. */
const PARTS_MAX = 4;

/**
 * Says of the first error that may come of it that the input may be one of several parts, where others lie beside it; or, where
 * the input is a list of parts, which part may be missing behind the last.
 */
export function withParts(errors: readonly XbstreamError[], input: InputChoice): readonly XbstreamError[] {
  if (input.kind === 'parts') return withNextPart(errors, input.paths.at(-1)!);
  const index = errors.findIndex(({ code }) => OF_A_PART.has(code));
  if (index === -1 || input.kind !== 'path') return errors;
  const { path } = input;
  // What lies beside a directory is no part of what is in it.
  if (lookAt(path)?.isDirectory() === true) return errors;
  const before = previousNames(path).find(existsSync);
  const behind = nextNames(path).find(existsSync);
  const others = [before, behind].filter((name) => name !== undefined);
  if (others.length === 0) return errors;
  const lie = others.length === 1 ? 'lies' : 'lie';
  return errors.with(
    index,
    errors[index]!.with({
      details: [`by its name ${path} may be one of several parts: ${others.join(' and ')} ${lie} beside it`],
      hints: [`to read them as one: tsxbstream ... --parts ${allFrom(path)}`],
    }),
  );
}

function withNextPart(errors: readonly XbstreamError[], last: string): readonly XbstreamError[] {
  const index = errors.findIndex(({ code }) => OF_ALL_BUT_THE_LAST.has(code));
  const [next] = nextNames(last);
  if (index === -1 || next === undefined || existsSync(next)) return errors;
  const details = [`a part may be missing behind ${last}: ${next}`];
  return errors.with(index, errors[index]!.with({ details }));
}

/** All parts that lie beside a file, as a command line has them. */
function allFrom(path: string): string {
  let first = path;
  for (
    let name = previousNames(first).find(existsSync);
    name !== undefined;
    name = previousNames(first).find(existsSync)
  )
    first = name;
  const parts = [first];
  for (let name: string | undefined = first; parts.length <= PARTS_MAX;) {
    name = nextNames(name).find(existsSync);
    if (name === undefined) return parts.map(shellWord).join(' ');
    parts.push(name);
  }
  return `${parts.slice(0, 2).map(shellWord).join(' ')} ...`;
}
