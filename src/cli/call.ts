/** From a command line to what it asks for. */
import { existsSync } from 'node:fs';
import { shellWord } from '../format/shell-word.js';
import { hasSecret, isAddress, shownWord } from '../input/address/address.js';
import { closest } from '../verbs/options/suggestion.js';
import type { ColorChoice } from '../ui/paint.js';
import type { Mode } from '../verbs/options/table.js';
import { usageError } from '../verbs/options/usage-error.js';
import { VERBS, type Registration } from '../verbs/registry.js';
import { typedWords } from '../verbs/options/raw-words.js';
import type { CallSurroundings, VerbCall } from '../verbs/verb.js';
import { EXIT_OK, EXIT_USAGE } from './exit-codes.js';
import { allForms, loadForm, XBSTREAM, type Form } from './grammar/forms.js';
import { readValues } from './grammar/option-values.js';
import { version } from './package-version.js';
import { versionLine, xbstreamName } from './version.js';
import {
  normaliseWords,
  spell,
  UnknownOption,
  type NormalisedWords,
  type OptionWord,
} from './grammar/xbstream-grammar.js';

/** What a command line asks for. */
export type Call =
  /** A text: on stdout if it was asked for (exit code 0), else on stderr. */
  { kind: 'text'; text: string; exitCode: number } | ({ kind: 'verb' } & VerbCall);

/** Whether a command line has the form of xbstream's, whose stdout belongs to nobody but archives. */
function isXbstreamForm(argv: readonly string[]): boolean {
  return xbstreamName(argv) !== undefined || argv[2]?.startsWith('-') === true;
}

/** @throws XbstreamError `XB_USAGE`, and for keys what reading one throws */
export async function readCall(given: Omit<CallSurroundings, 'typed'>): Promise<Call> {
  const { argv } = given;
  const surroundings = { ...given, typed: typedWords(argv) };
  const words = argv.slice(2);
  const [first, second] = words;
  if (first === undefined) return answer(async ({ shortHelp }) => shortHelp(await allForms()), EXIT_USAGE);
  if (xbstreamName(argv) !== undefined) return readForm(XBSTREAM, words, surroundings);
  if (isXbstreamForm(argv)) return readForm(XBSTREAM, words, surroundings, true);
  if (first === 'completion') return readCompletion(second);
  if (first === '__complete') {
    // There may be a key, or a presigned address, among the words: see hideSecrets.
    process.title = 'tsxbstream __complete';
    const { completionAnswer } = await import('./completion/answer.js');
    return { kind: 'text', text: await completionAnswer(second, words.slice(2)), exitCode: EXIT_OK };
  }
  if (first !== 'help') return readForm(await loadForm(knownVerb(first)), words.slice(1), surroundings);
  if (second === undefined) return answer(async ({ overview }) => overview(version(), await allForms()));
  if (second === 'completion') return readCompletion('--help');
  const form = second.startsWith('-') ? XBSTREAM : await loadForm(knownVerb(second));
  return answer(({ formHelp }) => formHelp(form));
}

/** How a command line that cannot be followed wants to be answered, as far as its words can be understood at all. */
export async function wishesOf(argv: readonly string[]): Promise<{ json: boolean; color: ColorChoice }> {
  const [first = '', ...others] = argv.slice(2);
  const verb = isXbstreamForm(argv) ? undefined : verbOf(first);
  const [form, words] = verb === undefined ? [XBSTREAM, argv.slice(2)] : [await loadForm(verb), others];
  const end = words.indexOf('--');
  const options = end === -1 ? words : words.slice(0, end);
  // Each by itself, and with a value behind it: what is wrong with others is beside the point.
  const said = options.flatMap((_, at) => [1, 2].flatMap((count) => understood(options.slice(at, at + count), form)));
  const color = said.findLast(({ name }) => name === 'color')?.value;
  return {
    json: said.some(({ name, value }) => name === 'json' || (name === 'format' && value === 'json')),
    color: color === 'never' || color === 'always' ? color : 'auto',
  };
}

function understood(words: readonly string[], form: Form): readonly OptionWord[] {
  try {
    return normaliseWords(words, form).options;
  } catch {
    return [];
  }
}

/** @param word the shell, or what asks for help */
async function readCompletion(word: string | undefined): Promise<Call> {
  const { COMPLETION } = await import('./completion/form.js');
  if (word === '-h') return answer(({ briefHelp }) => briefHelp(COMPLETION));
  if (word === '--help' || word === '-?') return answer(({ formHelp }) => formHelp(COMPLETION));
  const { completionScript } = await import('./completion/scripts.js');
  return { kind: 'text', text: completionScript(word), exitCode: EXIT_OK };
}

/** Help texts are loaded only where somebody asks for one. */
async function answer(
  text: (help: typeof import('./help/help.js')) => string | Promise<string>,
  exitCode: number = EXIT_OK,
): Promise<Call> {
  return { kind: 'text', text: await text(await import('./help/help.js')), exitCode };
}

/** @param isAnyCall `--help` asks for everything where it is not said what is to be done */
async function readForm(
  form: Form,
  words: readonly string[],
  surroundings: CallSurroundings,
  isAnyCall = false,
): Promise<Call> {
  const normalised = await inOneSpelling(words, form);
  hideSecrets(normalised, form);
  const isAskedFor = (name: string): boolean => normalised.options.some((option) => option.name === name);
  if (isAskedFor('help')) {
    const isDropIn = xbstreamName(surroundings.argv) !== undefined;
    // -h is for a reminder, on one screen.
    const isBrief = !isDropIn && !words.some((word) => word.startsWith('--h') || word.includes('?'));
    if (isAnyCall && !isAskedFor('extract' satisfies Mode) && !isAskedFor('create' satisfies Mode)) {
      return answer(async ({ overview, shortHelp }) =>
        isBrief ? shortHelp(await allForms()) : overview(version(), await allForms()),
      );
    }
    if (isBrief) return answer(({ briefHelp }) => briefHelp(form));
    // What asks xbstream for its help may be after its version.
    const title = isDropIn ? versionLine(surroundings.argv) : '';
    return answer(({ formHelp }) => title + formHelp(form));
  }
  if (isAskedFor('version')) return { kind: 'text', text: versionLine(surroundings.argv), exitCode: EXIT_OK };
  if (form === XBSTREAM) await checkMode(normalised);
  const values = await readValues(normalised, form, surroundings.typed);
  return { kind: 'verb', ...(await form.called({ values, operands: normalised.operands }, surroundings)) };
}

/** A key, or a presigned address, on the command line is on show in the process list of the whole machine: overwrites it there. */
function hideSecrets({ options, operands }: NormalisedWords, { call, words }: Form): void {
  const isSecret = (name: string): boolean => words.get(name)?.secret === true;
  const isHidden = ({ name, value }: OptionWord): boolean => isSecret(name) || hasSecret(value ?? '');
  if (!options.some(isHidden) && !operands.some(hasSecret)) return;
  const shown = options.map(({ name, value }) =>
    spell({ name, value: isSecret(name) ? '...' : value && shownWord(value) }),
  );
  // On Linux this is the memory that the kernel shows as the command line; Node fills what is left of it with zeros.
  process.title = [call, ...shown, ...operands.map(shownWord)].join(' ');
}

/** The words in one spelling; what is unknown may be an option of another form. */
async function inOneSpelling(words: readonly string[], form: Form): Promise<NormalisedWords> {
  try {
    return normaliseWords(words, form);
  } catch (error) {
    if (!(error instanceof UnknownOption)) throw error;
    const others = (await allForms()).filter((other) => other.name !== form.name && error.isOf(other));
    const file = words.find((word) => word.startsWith('-') && existsSync(word));
    throw error.asUsageError([
      ...(file === undefined ? [] : [`the file of that name: ${shellWord(`./${file}`)}`]),
      ...others.map(({ call }) => `it is an option of: ${call}`),
    ]);
  }
}

/** The xbstream form says by an option what is to be done. */
async function checkMode({ options, operands }: NormalisedWords): Promise<void> {
  const modes = new Set(options.map(({ name }) => name).filter((name) => name === 'extract' || name === 'create'));
  if (modes.size === 1) {
    if (modes.has('create')) await checkCreating(options);
    return;
  }
  if (modes.size > 1) throw usageError('-x and -c exclude each other', '-x unpacks an archive, -c writes one');
  const verb = operands.map(verbOf).find((found) => found !== undefined);
  throw usageError(
    'it is not said what to do',
    ...(verb === undefined ? [] : [`the verb comes first: tsxbstream ${verb.name} ...`]),
    'to unpack the archive on stdin: tsxbstream -x -C DIR < ARCHIVE',
    'what else there is: tsxbstream --help',
  );
}

/** What only unpacking knows does nothing with `-c`; but xbstream, of whose options that holds too, takes them. */
async function checkCreating(given: NormalisedWords['options']): Promise<void> {
  const { words } = await loadForm(verbOf('create')!);
  // What goes to stdout takes the place of no file.
  const isUsed = (name: string): boolean => words.has(name) && name !== 'overwrite';
  const idle = given.find(({ name }) => !isUsed(name) && XBSTREAM.words.get(name)!.classic !== true);
  if (idle !== undefined) throw usageError(`--${idle.name} does nothing with -c`, 'leave it out, or unpack with -x');
}

/** The verb that a word stands for, by its name or an alias. */
function verbOf(word: string): Registration | undefined {
  return VERBS.find(({ name, aliases }) => name === word || aliases.includes(word));
}

function knownVerb(word: string): Registration {
  const verb = verbOf(word);
  if (verb !== undefined) return verb;
  const similar = closest(
    word,
    VERBS.flatMap(({ name, aliases }) => [name, ...aliases]),
  );
  throw usageError(
    `there is no command "${shownWord(word)}"`,
    ...(similar === undefined ? [] : [`did you mean: tsxbstream ${similar}?`]),
    ...(isAddress(word) ? [`to unpack what lies there: tsxbstream extract ${shellWord(shownWord(word))} -C DIR`] : []),
    ...(existsSync(word) ? [`to unpack ${word}: tsxbstream extract ${shellWord(word)} -C DIR`] : []),
    `commands: ${VERBS.map(({ name }) => name).join(', ')}; and -x, as xbstream has it`,
    'what they do: tsxbstream --help',
  );
}
