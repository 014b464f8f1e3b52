/** What to do next, in the words of the library: an error's hints are those of the command line until they come here. */
import { XbstreamError } from '../../errors.js';
import type { Option } from '../../verbs/options/option.js';
import { OPTIONS } from '../../verbs/options/table.js';

/** What a program says for an option's words where that is more than one thing. */
const SAID_OTHERWISE: Readonly<Record<string, string>> = {
  overwrite: "existing: 'overwrite'",
  'skip-existing': "existing: 'keep-same-size'",
  'no-decode-stream': 'decodeStream: false',
};

/** An option, by its long name. Undefined for one that programs do not have. */
function inLibrary(word: string, value = ''): string | undefined {
  const found = Object.entries(OPTIONS).find(([, { words }]) => word in words);
  if (found === undefined || !('program' in found[1])) return undefined;
  const [name, option] = found as [string, Option<unknown>];
  if (SAID_OTHERWISE[word] !== undefined) return SAID_OTHERWISE[word];
  const { kind } = option.program;
  if (kind === 'boolean') return `${name}: true`;
  if (kind === 'texts' && value !== '') return `${name}: ['${value}']`;
  return typeof kind === 'object' && kind.includes(value) ? `${name}: '${value}'` : `the option ${name}`;
}

/** `--name`, `--name=value`, `--name=VALUE`, `--name /path`, `--name VALUE`. */
const WORD = /--([a-z]+(?:-[a-z]+)*)(?:(?:=| (?=\/))([^\s,;]+)| [A-Z]{2,}\b)?/g;
/** A call of the program that a function does as well, up to the end of the hint. */
const CALL = /(?:\.\.\. \| )?tsxbstream (extract|list|verify|info|cat|create|decode|index)\b(.*)$/;
/** A call of the program on a file. */
const REDIRECTED = /tsxbstream -x < ARCHIVE(?:, or: tsxbstream VERB ARCHIVE)?/;
/** The parts of an archive, which are an input and no option. */
const PARTS = /tsxbstream \.\.\. --parts .*$|--parts\b(?! \S+\.\d)/;
/** An option before another one, of a command of which only these are said. */
const OPTIONS_IN_TURN = /(--[a-z-]+)(?= --)/g;
/** Ways to say something that only a command line has. */
const ONLY_TYPED = [', or the variable XBCRYPT_ENCRYPTION_KEY', ' with -C'];

/** A hint for people at a command line, reworded for people who write a program. */
export function hintForPrograms(hint: string): string {
  // A pipeline of programs stays what it is: it says what undoes the packing.
  if (/\| tsxbstream (?:-x|create)/.test(hint)) return hint;
  const given = hint.replace(REDIRECTED, 'by its path').replace(PARTS, '{ parts: [...] }');
  const called = given.replace(CALL, (_, verb: string, rest: string) => {
    const options = Array.from(rest.matchAll(WORD), ([, word, value]) => inLibrary(word!, value) ?? []).flat();
    return `${verb === 'index' ? 'makeIndex' : verb}()${options.length === 0 ? '' : ` with ${options.join(rest.includes(' or ') ? ' or ' : ', ')}`}`;
  });
  const plain = ONLY_TYPED.reduce((text, words) => text.replace(words, ''), called);
  return plain
    .replace('the same command', 'the same call')
    .replace(OPTIONS_IN_TURN, '$1,')
    .replace('-P (--absolute-names)', '--absolute-names')
    .replace(WORD, (typed, word: string, value?: string) => inLibrary(word, value) ?? typed);
}

/** An error as a program is to get it; anything else as it is. */
export function forPrograms<Thrown>(error: Thrown): Thrown | XbstreamError {
  if (!(error instanceof XbstreamError) || error.hints.length === 0) return error;
  const { code, message, path, archiveOffset, details, partial, systemCode, cause, stack } = error;
  const hints = error.hints.map(hintForPrograms);
  const told = new XbstreamError(code, message, { path, archiveOffset, details, hints, partial, systemCode, cause });
  if (stack !== undefined) told.stack = stack;
  return told;
}

/** All that went wrong. */
export function allForPrograms(errors: readonly XbstreamError[]): readonly XbstreamError[] {
  return errors.map((error) => forPrograms(error));
}
