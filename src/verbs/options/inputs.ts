/** What a verb reads, and where it writes, as a command line names it. */
import { existsSync } from 'node:fs';
import { shellWord } from '../../format/shell-word.js';
import { isAddress, looksLikeAddress, readAddress, shownWord } from '../../input/address/address.js';
import type { InputChoice, StreamKey } from '../../input/open-source.js';
import type { OutputChoice } from '../../output/archive-target.js';
import { compressionOf, madeByOthers, type Compression } from '../../output/compression.js';
import type { CallSurroundings, CallWords } from '../verb.js';
import { archiveOperands } from './archive-operands.js';
import type { OptionValues } from './option-values.js';
import { assertExact } from './raw-words.js';
import { keyOfWords } from './readers.js';
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

/** What is said of the archive that a verb reads, beside its name. */
interface ArchiveOptions {
  parts: boolean;
  decodeStream: boolean;
  key?: StreamKey | undefined;
  timeout: number | undefined;
}

/**
 * The archive that a verb reads: the first word, or the first words where they are its parts.
 *
 * @param takesPatterns the other words are patterns
 * @throws XbstreamError `XB_USAGE` for a terminal, and for what is no name; for keys what reading one throws
 */
export function readArchive(
  options: ArchiveOptions,
  { values, operands }: CallWords,
  { isTerminal, env, typed }: CallSurroundings,
  named: NamedCall,
  takesPatterns = true,
): { input: InputChoice; patterns: readonly string[] } {
  const { archive, patterns } = archiveOperands(options.parts, operands, named.call, takesPatterns);
  for (const name of [archive ?? []].flat()) assertExact('the name of the archive', name, typed);
  const other = patterns.find(looksLikeAddress);
  if (other !== undefined) {
    throw usageError(
      `${shownWord(other)} is an address, and no pattern`,
      `the archive comes first: ${named.call} ADDRESS`,
    );
  }
  const input = archiveInput(archive, operands, named, isTerminal);
  return { input: withStream(input, options, values, env), patterns };
}

/** Says of an input how long it may be silent, and what is to be done about what the archive is wrapped in as a whole. */
export function withStream(
  input: InputChoice,
  { decodeStream, key, timeout }: Omit<ArchiveOptions, 'parts'>,
  values: OptionValues,
  env: NodeJS.ProcessEnv,
): InputChoice {
  // The file of a key may be a pipe, and is read once.
  const found = key ?? keyOfWords(values, env, 'perhaps');
  const timed = timeout === undefined ? input : { ...input, silentSeconds: timeout };
  return decodeStream && found === undefined ? timed : { ...timed, stream: { asIs: !decodeStream, key: found } };
}

function archiveInput(
  archive: string | readonly string[] | undefined,
  operands: readonly string[],
  { call, more = '', namesStdin = false }: NamedCall,
  isTerminal: (fd: number) => boolean,
): InputChoice {
  if (typeof archive === 'object') return { kind: 'parts', paths: archive };
  if (archive !== undefined && archive !== '-') {
    if (looksLikeAddress(archive)) return { kind: 'address', address: readAddress(archive) };
    if (/[*?[\]{}]/.test(archive) && !existsSync(archive)) {
      throw usageError(
        `there is no archive "${archive}"; it looks like a pattern`,
        'the archive comes first, and - stands for stdin:',
        `${call} - ${operands.map(shellWord).join(' ')} < ARCHIVE`,
      );
    }
    if (archive === '') throw usageError('the name of the archive is empty', '- stands for stdin');
    return { kind: 'path', path: archive };
  }
  if (!isTerminal(STDIN)) return { kind: 'descriptor', fd: STDIN };
  throw terminalError(
    `from a file: ${call} ARCHIVE${more}`,
    `from a pipe: ... | ${call}${namesStdin ? ' -' : ''}${more}`,
  );
}

/** The archive on stdin, for the form of xbstream. @throws XbstreamError `XB_USAGE` for a terminal */
export function archiveOnStdin(operands: readonly string[], isTerminal: (fd: number) => boolean): InputChoice {
  if (!isTerminal(STDIN)) return { kind: 'descriptor', fd: STDIN };
  const [first] = operands;
  if (first !== undefined && isAddress(first)) {
    throw terminalError(`from an address: tsxbstream extract ${shellWord(shownWord(first))} -C DIR`);
  }
  const archive = first !== undefined && existsSync(first) ? shellWord(first) : 'ARCHIVE';
  throw terminalError(`from a file: tsxbstream -x -C DIR < ${archive}`, 'from a pipe: ... | tsxbstream -x -C DIR');
}

function terminalError(...hints: string[]): Error {
  return usageError('stdin is a terminal, and an archive cannot be typed', ...hints);
}

/** An input that is no archive. @param what what it is, for messages @throws XbstreamError `XB_USAGE` for a terminal */
export function otherInput(name: string, what: string, isTerminal: (fd: number) => boolean): InputChoice {
  if (looksLikeAddress(name)) return { kind: 'address', address: readAddress(name) };
  if (name !== '-') return { kind: 'path', path: name };
  if (isTerminal(STDIN)) throw usageError(`stdin is a terminal, and ${what} is expected there`, 'use a pipe or a file');
  return { kind: 'descriptor', fd: STDIN };
}

/**
 * Where a verb that makes one file writes it.
 *
 * @param call what was called, for hints
 * @param what the name of the file, for hints
 * @throws XbstreamError `XB_USAGE` for a terminal, and for a name that says what it would not be
 */
export function madeOutput(
  options: {
    output: string | undefined;
    overwrite: boolean;
    json: boolean;
    compress: Compression | 'none' | undefined;
  },
  call: string,
  what: string,
  isTerminal: (fd: number) => boolean,
): OutputChoice {
  const { output, overwrite, json, compress } = options;
  const compression = compress === 'none' ? undefined : (compress ?? compressionOf(output ?? ''));
  if (output !== undefined && looksLikeAddress(output)) {
    throw usageError(
      `nothing is written to an address: ${shownWord(output)}`,
      `by a pipe: ${call} | aws s3 cp - s3://BUCKET/KEY`,
      'or: | curl -T - ADDRESS',
    );
  }
  if (output !== undefined && output !== '-') {
    if (compress === undefined) assertHonestName(output, call);
    return { kind: 'path', path: output, overwrite, compression };
  }
  if (overwrite) {
    throw usageError('--overwrite replaces a file, and none is named', `name it: -o ${what}`, 'or leave it out');
  }
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
  return { kind: 'descriptor', fd: STDOUT, compression };
}

/** Who finds `full.tar.xz`, or `full.xbstream.gpg`, takes it for what it is called. */
function assertHonestName(path: string, call: string): void {
  const other = madeByOthers(path);
  if (other === undefined) return;
  const { ending, program } = other;
  throw usageError(
    `${path} would be no .${ending} file: what is made here can be compressed as .gz, .zst or .lz4`,
    ...(program === undefined ? [] : [`by a pipe: ${call} | ${program} > ${shellWord(path)}`]),
    'as it is, under this name: --compress=none',
  );
}
