/**
 * An error as a person reads it, ending in a line break: what happened, then indented where and how, then what to do next.
 * Each text stays one line: a line break inside came out of the archive, and could pass for a line of ours.
 */
import type { ErrorFacts, XbstreamError } from '../../errors.js';
import { likeProblems, othersLine } from './like-problems.js';
import type { Paint } from '../paint.js';
import { printable } from '../printable.js';

/** What of an error is shown to a person. */
type ErrorLines = { message: string } & Pick<ErrorFacts, 'details' | 'hints'>;

export function errorText({ message, details = [], hints = [] }: ErrorLines, paint: Paint): string {
  const first = `${paint.failure('tsxbstream:')} ${printable(message)}\n`;
  const rest = details.map((line) => `  ${printable(line)}\n`);
  const next = hints.map((line) => `  ${paint.advice(printable(line))}\n`);
  return [first, ...rest, ...next].join('');
}

/** Errors of one run as a person reads them. @param all each of those that say the same, however many there are */
export function errorsText(errors: readonly XbstreamError[], paint: Paint, all: boolean): string {
  const groups = all ? errors.map((first) => ({ first, others: [] })) : likeProblems(errors);
  return groups
    .map((group) => {
      const others = othersLine(group);
      return errorText(group.first, paint) + (others === undefined ? '' : `  ${others}\n`);
    })
    .join('');
}

/** A warning as a person reads it, ending in a line break. */
export function warningText(message: string, paint: Paint): string {
  return `${paint.caution('tsxbstream: warning:')} ${printable(message)}\n`;
}
