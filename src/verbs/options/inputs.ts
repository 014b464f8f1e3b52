/** What a verb reads, and where it writes, as a command line names it. */
import { existsSync } from 'node:fs';
import { shellWord } from '../../format/shell-word.js';
import type { InputChoice } from '../../input/open-source.js';
import type { OutputChoice } from '../../output/archive-target.js';
import { usageError } from './usage-error.js';

const STDIN = 0;
const STDOUT = 1;

/** A call of a verb, for hints. */
export interface NamedCall {
  /** What is typed first. */
  call: string;
  /** How it may go on behind the archive. */
  more?: string;
  /** An archive on stdin must be named, as `-`. */
  namesStdin?: boolean;
}

/**
 * The archive that a verb reads.
 *
 * @param operands what was typed: the archive first
 * @throws XbstreamError `XB_USAGE` for a terminal, and for what is no name
 */
export function archiveInput(
  operands: readonly string[],
  named: NamedCall,
  isTerminal: (fd: number) => boolean,
): InputChoice {
  const [archive] = operands;
  if (archive !== undefined && archive !== '-') {
    if (/[*?[\]{}]/.test(archive) && !existsSync(archive)) {
      throw usageError(
        `there is no archive "${archive}"; it looks like a pattern`,
        'the archive comes first, and - stands for stdin:',
        `${named.call} - ${operands.map(shellWord).join(' ')} < ARCHIVE`,
      );
    }
    if (archive === '') throw usageError('the name of the archive is empty', '- stands for stdin');
    return { kind: 'path', path: archive };
  }
  if (isTerminal(STDIN)) {
    const { call, more = '', namesStdin = false } = named;
    throw terminalError(
      `from a file: ${call} ARCHIVE${more}`,
      `from a pipe: ... | ${call}${namesStdin ? ' -' : ''}${more}`,
    );
  }
  return { kind: 'descriptor', fd: STDIN };
}

/** The archive of a verb that takes one and nothing else. @throws XbstreamError `XB_USAGE` */
export function onlyArchive(
  operands: readonly string[],
  named: NamedCall,
  isTerminal: (fd: number) => boolean,
): InputChoice {
  const [, second] = operands;
  if (second !== undefined) {
    const verb = named.call.replace(/^\S+ /, '');
    throw usageError(`${verb} takes one archive, and "${second}" is a second`, `${named.call} ARCHIVE`);
  }
  return archiveInput(operands, named, isTerminal);
}

/** The archive on stdin, for the form of xbstream. @throws XbstreamError `XB_USAGE` for a terminal */
export function archiveOnStdin(operands: readonly string[], isTerminal: (fd: number) => boolean): InputChoice {
  if (!isTerminal(STDIN)) return { kind: 'descriptor', fd: STDIN };
  const [first] = operands;
  const archive = first !== undefined && existsSync(first) ? shellWord(first) : 'ARCHIVE';
  throw terminalError(`from a file: tsxbstream -x -C DIR < ${archive}`, 'from a pipe: ... | tsxbstream -x -C DIR');
}

function terminalError(...hints: string[]): Error {
  return usageError('stdin is a terminal, and an archive cannot be typed', ...hints);
}

/** An input that is no archive. @param what what it is, for messages @throws XbstreamError `XB_USAGE` for a terminal */
export function otherInput(name: string, what: string, isTerminal: (fd: number) => boolean): InputChoice {
  if (name !== '-') return { kind: 'path', path: name };
  if (isTerminal(STDIN)) throw usageError(`stdin is a terminal, and ${what} is expected there`, 'use a pipe or a file');
  return { kind: 'descriptor', fd: STDIN };
}

/**
 * Where a verb that makes one file writes it.
 *
 * @param call what was called, for hints
 * @param what the name of the file, for hints
 * @throws XbstreamError `XB_USAGE` for a terminal
 */
export function madeOutput(
  { output, overwrite, json }: { output: string | undefined; overwrite: boolean; json: boolean },
  call: string,
  what: string,
  isTerminal: (fd: number) => boolean,
): OutputChoice {
  if (output !== undefined && output !== '-') return { kind: 'path', path: output, overwrite };
  if (json) {
    throw usageError('--json and what is made cannot both go to stdout', `name a file for it: -o ${what}`);
  }
  if (isTerminal(STDOUT)) {
    throw usageError(
      'stdout is a terminal, and what is made is no text',
      `into a file: ${call} -o ${what}`,
      `into a pipe: ${call} | ...`,
    );
  }
  return { kind: 'descriptor', fd: STDOUT };
}
