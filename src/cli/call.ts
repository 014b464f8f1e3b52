/** From a command line to what it asks for. */
import { existsSync } from 'node:fs';
import type { CatOptions } from '../commands/cat-options.js';
import type { CreateOptions } from '../engine/create-options.js';
import type { ExtractOptions } from '../engine/extract-options.js';
import type { InfoOptions } from '../commands/info-options.js';
import type { ListOptions } from '../commands/list-options.js';
import type { TarOptions } from '../engine/tar-options.js';
import type { VerifyOptions } from '../engine/verify-options.js';
import type { InspectChoices, ListChoices, VerifyChoices } from '../ui/make-inspect-reporter.js';
import type { ReporterChoices } from '../ui/make-reporter.js';
import { createOptions } from './create-arguments.js';
import { EXIT_OK, EXIT_USAGE } from './exit-codes.js';
import { extractOptions, ignoredWords, reporterChoices } from './extract-arguments.js';
import { FORMS, VERBS, verbOf } from './forms.js';
import { formHelp, overview, shortHelp } from './help.js';
import {
  catOptions,
  infoOptions,
  listChoices,
  listOptions,
  verifyChoices,
  verifyOptions,
} from './inspect-arguments.js';
import { readValues, type OptionValues } from './option-values.js';
import { OPTIONS, optionsOf, type Form } from './options.js';
import { hideSecrets } from './process-title.js';
import { commonChoices, type CallSurroundings } from './shared-arguments.js';
import { chooseStream } from './stream-choice.js';
import { closest } from './suggestion.js';
import { tarOptions } from './tar-arguments.js';
import { usageError } from './usage-error.js';
import { version, versionLine, xbstreamName } from './version.js';
import { normaliseWords, type NormalisedWords } from './xbstream-grammar.js';

/** What a command line asks for. */
export type Call =
  /** A text: on stdout for who asked for it (exit code 0), else on stderr. */
  { kind: 'text'; text: string; exitCode: number } | VerbCall;

/** What is asked of a verb, and what whoever asks should know of that. */
export type VerbCall = AnyVerbCall & { warnings?: readonly string[] };

type AnyVerbCall =
  | { kind: 'extract'; options: ExtractOptions; choices: ReporterChoices }
  | { kind: 'list'; options: ListOptions; choices: ListChoices }
  | { kind: 'verify'; options: VerifyOptions; choices: VerifyChoices }
  | { kind: 'info'; options: InfoOptions; choices: InspectChoices }
  | { kind: 'cat'; options: CatOptions; choices: InspectChoices }
  | { kind: 'create'; options: CreateOptions; choices: ReporterChoices }
  | { kind: 'convert-to-tar'; options: TarOptions; choices: ReporterChoices };

/** Whether a command line has the form of xbstream's, whose stdout belongs to nobody but archives. */
export function isXbstreamForm(argv: readonly string[]): boolean {
  return xbstreamName(argv) !== undefined || argv[2]?.startsWith('-') === true;
}

/** @throws XbstreamError `XB_USAGE`, and for keys what reading one throws */
export async function readCall(surroundings: CallSurroundings): Promise<Call> {
  const { argv } = surroundings;
  const words = argv.slice(2);
  const [first] = words;
  if (first === undefined) return { kind: 'text', text: shortHelp(), exitCode: EXIT_USAGE };
  if (xbstreamName(argv) !== undefined) return readForm('xbstream', words, surroundings);
  if (isXbstreamForm(argv)) return readForm('xbstream', words, surroundings, () => overview(version()));
  if (first === 'completion') return { kind: 'text', text: await completion(words[1]), exitCode: EXIT_OK };
  if (first === 'help') return { kind: 'text', text: helpOn(words[1]), exitCode: EXIT_OK };
  const verb = knownVerb(first);
  return readForm(verb, words.slice(1), surroundings);
}

/** @param generalHelp answers `--help` where it is not said what is to be done */
async function readForm(
  form: Form,
  words: readonly string[],
  surroundings: CallSurroundings,
  generalHelp?: () => string,
): Promise<Call> {
  const normalised = normaliseWords(words, form);
  hideSecrets(normalised, form);
  const isAskedFor = (name: string): boolean => normalised.options.some((option) => option.name === name);
  if (isAskedFor('help')) {
    const isAny = generalHelp !== undefined && !isAskedFor('extract') && !isAskedFor('create');
    // What asks xbstream for its help may be after its version.
    const title = xbstreamName(surroundings.argv) === undefined ? '' : versionLine(surroundings.argv);
    return { kind: 'text', text: isAny ? generalHelp() : title + formHelp(form), exitCode: EXIT_OK };
  }
  if (isAskedFor('version')) return { kind: 'text', text: versionLine(surroundings.argv), exitCode: EXIT_OK };
  if (form === 'xbstream') checkMode(normalised);
  const values = await readValues(normalised, form);
  if (isAskedFor('create')) return createCall(form, values, normalised.operands, surroundings);
  const call = verbCall(form, values, normalised.operands, surroundings);
  if (call.kind !== 'create') chooseStream(call.options, values, surroundings.env);
  return call;
}

function verbCall(
  form: Form,
  values: OptionValues,
  operands: readonly string[],
  surroundings: CallSurroundings,
): VerbCall {
  switch (form) {
    case 'xbstream':
    case 'extract': {
      const choices = reporterChoices(values, form);
      const options = extractOptions(values, operands, form, surroundings);
      return {
        kind: 'extract',
        options,
        choices,
        warnings: form === 'xbstream' ? ignoredWords(operands, values) : [],
      };
    }
    case 'list': {
      const choices = listChoices(values);
      return { kind: 'list', options: listOptions(values, operands, surroundings), choices };
    }
    case 'verify': {
      const choices = verifyChoices(values);
      return { kind: 'verify', options: verifyOptions(values, operands, surroundings), choices };
    }
    case 'info': {
      const choices = commonChoices(values);
      return { kind: 'info', options: infoOptions(values, operands, surroundings), choices };
    }
    case 'cat': {
      const choices = commonChoices(values);
      return { kind: 'cat', options: catOptions(values, operands, surroundings), choices };
    }
    case 'create':
      return createCall(form, values, operands, surroundings);
    case 'convert-to-tar': {
      const choices = reporterChoices(values, form);
      const options = tarOptions(values, operands, surroundings);
      return { kind: 'convert-to-tar', options, choices: makingChoices(choices, options) };
    }
  }
}

/** The verb, or the xbstream form with `-c`. */
function createCall(
  form: Form,
  values: OptionValues,
  operands: readonly string[],
  surroundings: CallSurroundings,
): VerbCall {
  const choices = reporterChoices(values, form);
  const options = createOptions(values, operands, form, surroundings);
  return { kind: 'create', options, choices: makingChoices(choices, options), warnings: notEncrypted(values) };
}

/** xbstream takes with -c what it knows for -x. Who gives a key there may take the archive for encrypted. */
function notEncrypted(values: OptionValues): string[] {
  const idle = (['decompress', 'decrypt', 'encrypt-key', 'encrypt-key-file'] as const).filter((name) =>
    values.has(name),
  );
  if (idle.length === 0) return [];
  return [`-c stores files as they are, and encrypts nothing: it has no use for --${idle.join(', --')}`];
}

/** Only where what is made goes to a file, stdout is free for saying so. */
function makingChoices(choices: ReporterChoices, { output }: Pick<CreateOptions, 'output'>): ReporterChoices {
  return { ...choices, closingLine: choices.closingLine && output.kind === 'path' };
}

/** The xbstream form says by an option what is to be done. */
function checkMode({ options, operands }: NormalisedWords): void {
  const modes = new Set(options.map(({ name }) => name).filter((name) => name === 'extract' || name === 'create'));
  if (modes.size === 1) {
    if (modes.has('create')) checkCreating(options);
    return;
  }
  if (modes.size > 1) throw usageError('-x and -c exclude each other', '-x unpacks an archive, -c writes one');
  const verb = operands.map(verbOf).find((found) => found !== undefined);
  throw usageError(
    'it is not said what to do',
    ...(verb === undefined ? [] : [`the verb comes first: ${FORMS[verb].call} ...`]),
    'to unpack the archive on stdin: tsxbstream -x -C DIR < ARCHIVE',
    'what else there is: tsxbstream --help',
  );
}

/** What only unpacking knows does nothing with `-c`; but xbstream, of whose options that holds too, takes them. */
function checkCreating(given: NormalisedWords['options']): void {
  const known = optionsOf('create');
  const idle = given.find(({ name }) => !known.has(name) && OPTIONS[name].classic !== true);
  if (idle !== undefined) throw usageError(`--${idle.name} does nothing with -c`, 'leave it out, or unpack with -x');
}

/** Loaded only where somebody asks for it. */
async function completion(shell: string | undefined): Promise<string> {
  const { completionScript } = await import('./completion.js');
  return completionScript(shell);
}

function helpOn(topic: string | undefined): string {
  if (topic === undefined) return overview(version());
  return formHelp(topic.startsWith('-') ? 'xbstream' : knownVerb(topic));
}

function knownVerb(word: string): Form {
  const verb = verbOf(word);
  if (verb !== undefined) return verb;
  const similar = closest(
    word,
    VERBS.flatMap((known) => [known, ...FORMS[known].aliases]),
  );
  throw usageError(
    `there is no command "${word}"`,
    ...(similar === undefined ? [] : [`did you mean: tsxbstream ${similar}?`]),
    ...(existsSync(word) ? [`to unpack ${word}: tsxbstream extract ${word} -C DIR`] : []),
    `commands: ${VERBS.join(', ')}; and -x, as xbstream has it`,
    'what they do: tsxbstream --help',
  );
}
