/** What can stand in the place of a word of a command line: the scripts of the shells ask for it at each Tab. */
import { type StoredPath } from '../../format/stored-path.js';
import { existsSync, readFileSync } from 'node:fs';
import { getHashes } from 'node:crypto';
import { archiveOperands } from '../../verbs/options/archive-operands.js';
import type { OptionDefinition } from '../../verbs/options/option.js';
import { nextNames } from '../../input/parts/part-names.js';
import { VERBS } from '../../verbs/registry.js';
import { loadForm, XBSTREAM, type Form } from '../grammar/forms.js';
import { normaliseWords, type NormalisedWords } from '../grammar/xbstream-grammar.js';
import { databaseNames, pathCandidates, pathsIn, tableNames } from './archive-names.js';
import { COMPLETION } from './form.js';
import { SHELLS } from './scripts.js';
import { forLine, typedWord, type TypedWord } from './shell-words.js';

interface Candidate {
  text: string;
  about?: string;
  /** It may be typed in either case. */
  anyCase?: boolean;
}

interface Answer {
  /** What the shell itself knows, and offers there. */
  also: 'files' | 'directories' | 'nothing';
  candidates: readonly Candidate[];
}

const NOTHING: Answer = { also: 'nothing', candidates: [] };
const FILES: Answer = { also: 'files', candidates: [] };

/** Stands for the word at the cursor where the words before it are read. */
const CURSOR = '\0';

/**
 * What the script of a shell reads: a line that says what the shell itself is to offer (`files`, `directories`, `nothing`),
 * and a line for each candidate, with a tab before what is said of it.
 *
 * @param words as the shell has them, without the program; the last one is that at the cursor, up to the cursor
 */
export async function completionAnswer(shell: string | undefined, words: readonly string[]): Promise<string> {
  const isBash = shell === 'bash';
  const typed = words.map((word) => typedWord(word, isBash));
  const { also, candidates } = await answerFor(typed).catch(() => NOTHING);
  const current = typed.at(-1)!;
  const fitting = candidates.filter((candidate) => fits(candidate, current.text));
  const lines = fitting.flatMap(({ text, about }) => {
    return forLine(text, current, isBash).map((word) => (about === undefined || isBash ? word : `${word}\t${about}`));
  });
  return [also, ...lines].map((line) => `${line}\n`).join('');
}

function fits({ text, anyCase = false }: Candidate, typed: string): boolean {
  return text.startsWith(typed) || (anyCase && text.toLowerCase().startsWith(typed.toLowerCase()));
}

async function answerFor(typed: readonly TypedWord[]): Promise<Answer> {
  const before = typed.slice(0, -1).map(({ text }) => text);
  const current = typed.at(-1)?.text ?? '';
  const [first = current] = before;
  if (before.length === 0 && !current.startsWith('-')) return { also: 'nothing', candidates: await firstWords() };
  if (first.startsWith('-')) return answerOf(XBSTREAM, before, current);
  if (first === 'help' || first === COMPLETION.name) {
    if (before.length > 1) return NOTHING;
    if (current.startsWith('-')) return words(['--help']);
    return words(first === 'help' ? VERBS.map(({ name }) => name) : SHELLS);
  }
  const verb = VERBS.find(({ name, aliases }) => name === first || aliases.includes(first));
  return verb === undefined ? NOTHING : answerOf(await loadForm(verb), before.slice(1), current);
}

async function firstWords(): Promise<Candidate[]> {
  const verbs = await Promise.all(VERBS.map(loadForm));
  return [
    ...verbs.flatMap(({ name, aliases, summary }) => [name, ...aliases].map((text) => ({ text, about: summary }))),
    { text: COMPLETION.name, about: COMPLETION.summary },
    { text: 'help', about: 'tell how to call it' },
  ];
}

async function answerOf(form: Form, before: readonly string[], current: string): Promise<Answer> {
  const read = normaliseWords([...before, CURSOR], form);
  const awaiting = read.options.find(({ value }) => value === CURSOR);
  if (awaiting !== undefined) return valueAnswer(form.words.get(awaiting.name)!, '', current, read, form);
  if (!current.startsWith('-') || before.includes('--')) return operandAnswer(form, read, before, current);
  const equals = current.indexOf('=');
  if (!current.startsWith('--') || equals === -1) return { also: 'nothing', candidates: optionNames(form) };
  const [option] = normaliseWords([`${current.slice(0, equals)}=${CURSOR}`], form).options;
  const head = current.slice(0, equals + 1);
  return valueAnswer(form.words.get(option!.name)!, head, current.slice(head.length), read, form);
}

function optionNames({ words: options }: Form): Candidate[] {
  return [...options].map(([name, { value, valueIsOptional, help }]) => {
    // Whether a value follows as a word of its own, or after a `=`.
    const wantsValue = value !== undefined && valueIsOptional !== true;
    return { text: `--${name}${wantsValue ? '=' : ''}`, about: help.split(/[.;:] /, 1)[0]! };
  });
}

function words(texts: readonly string[], head = ''): Answer {
  return { also: 'nothing', candidates: texts.map((text) => ({ text: head + text })) };
}

/** @param head what stands before the value in the same word @param typed what is there of the value */
async function valueAnswer(
  { kind, value = '' }: OptionDefinition,
  head: string,
  typed: string,
  read: NormalisedWords,
  form: Form,
): Promise<Answer> {
  if (kind?.words !== undefined) {
    const anyCase = kind.words.every((word) => kind.accepts(word.toLowerCase()));
    return { also: 'nothing', candidates: kind.words.map((text) => ({ text: head + text, anyCase })) };
  }
  // Of a list the last name is completed.
  const listed = head + typed.slice(0, typed.lastIndexOf(',') + 1);
  switch (value) {
    case 'DIR':
      return { also: 'directories', candidates: [] };
    case 'USER[:GROUP]':
      return words(owners(typed), head);
    case 'NAME[,NAME...]':
      return words(DIGESTS, listed);
    case 'DB.TABLE,...':
      return words(tableNames(await pathsOf(read, form)), listed);
    case 'DB,...':
      return words(databaseNames(await pathsOf(read, form)), listed);
    case 'GLOB':
      return words(pathCandidates(await pathsOf(read, form), typed), head);
    case 'FILE':
      return FILES;
    default:
      return NOTHING;
  }
}

/** Those that people ask for; the others are combinations of them with other things. */
const DIGESTS = getHashes().filter((name) => /^(?:md5|sha\d{1,3}(?:-\d{3})?|blake2[bs]\d+)$/.test(name));

/** Users, as `chown` takes them: the user, or behind a colon the group. */
function owners(typed: string): string[] {
  const [user, group] = typed.split(':') as [string, string?];
  if (group !== undefined) return namesOf('/etc/group').map((name) => `${user}:${name}`);
  return namesOf('/etc/passwd').flatMap((name) => [name, `${name}:`]);
}

/** The names in one of the system's tables (passwd(5), group(5)). */
function namesOf(table: string): string[] {
  const lines = readFileSync(table, 'utf8').split('\n');
  return lines.flatMap((line) => /^([\w.-]+):/.exec(line)?.[1] ?? []);
}

/** What an archive holds that stands on the command line before the cursor. */
async function pathsOf({ options, operands }: NormalisedWords, form: Form): Promise<StoredPath[]> {
  const isParts = options.some(({ name }) => name === 'parts');
  const named = operands.filter((word) => word !== CURSOR);
  const { archive } = archiveOperands(isParts, named, form.call, true);
  return archive === undefined || archive === '-' || form === XBSTREAM ? [] : pathsIn(archive);
}

async function operandAnswer(
  form: Form,
  read: NormalisedWords,
  before: readonly string[],
  current: string,
): Promise<Answer> {
  const isUnpacking = form === XBSTREAM && !read.options.some(({ name }) => name === 'create');
  if (isUnpacking) return NOTHING;
  const named = read.operands.filter((word) => word !== CURSOR);
  const isOfParts = read.options.some(({ name }) => name === 'parts') || nextNames(named.at(-1) ?? '').some(existsSync);
  // What is chosen by patterns is chosen by names in the archive.
  if (named.length === 0 || isOfParts || !form.words.has('include')) return FILES;
  const found = pathCandidates(await pathsOf(read, form), current);
  // What an archive holds is not to become an option.
  return words(before.includes('--') ? found : found.filter((path) => !path.startsWith('-')));
}
