/** Help texts, from the tables of options and forms. At most 80 columns, for a rescue console is no wider. */
import { OPTION_GROUPS, type OptionDefinition } from '../../verbs/options/option.js';
import type { Example } from '../../verbs/verb.js';
import { XBSTREAM, type Form, type FormText } from '../grammar/forms.js';
import { COMPLETION } from '../completion/form.js';
import { wrap } from './wrap.js';

const WIDTH = 80;
/** Where the description of an option begins. */
const COLUMN = 29;
const EXIT_CODE_COLUMN = 15;
/** Where it is said what a verb does. */
const CALL_COLUMN = 16;

export const EXIT_CODE_TEXTS = [
  ['0', 'done, and the archive is whole'],
  ['1', 'the system refused: I/O, permission, no space, target exists, no match'],
  ['2', 'the command line cannot be followed'],
  ['3', 'the archive is damaged'],
  ['4', 'the archive is incomplete'],
  ['5', 'content cannot be decoded: key missing or wrong, unknown layer'],
  ['129-131, 143', 'ended by SIGHUP, SIGINT, SIGQUIT, SIGTERM'],
] as const;

export const SIGNAL_TEXTS = [
  [
    'SIGINT, SIGTERM, SIGHUP',
    'stop, name the unfinished files that are left, and die of the signal; a second one ends at once',
  ],
  ['SIGQUIT', 'the same, and say before how far the run was, and at which file'],
  ['SIGUSR1', 'print a line on stderr, and go on: files, bytes, rate, the file that is at work on'],
] as const;

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function paragraphs(texts: readonly string[]): string {
  return texts.map((text) => `${wrap(text, WIDTH).join('\n')}\n`).join('\n');
}

/** `-C, --directory=DIR` */
export function optionSpelling(name: string, { letters = '', value, valueIsOptional }: OptionDefinition): string {
  const short =
    letters === ''
      ? '    '
      : `${letters
          .split('')
          .map((letter) => `-${letter}`)
          .join(', ')}, `;
  const withValue = value === undefined ? '' : valueIsOptional === true ? `[=${value}]` : `=${value}`;
  return `${short}--${name}${withValue}`;
}

function optionLines([name, definition]: [string, OptionDefinition]): string[] {
  const spelling = optionSpelling(name, definition);
  const [first = '', ...rest] = wrap(definition.help, WIDTH - 2 - COLUMN);
  const indent = ' '.repeat(COLUMN);
  const below = rest.map((line) => indent + line);
  return spelling.length + 2 <= COLUMN
    ? [spelling.padEnd(COLUMN) + first, ...below]
    : [spelling, indent + first, ...below];
}

function optionSections({ words }: FormText): string[] {
  const options = [...words];
  return OPTION_GROUPS.flatMap((group) => {
    const lines = options.filter(([, definition]) => definition.group === group).flatMap(optionLines);
    return lines.length > 0 ? [section(group, lines)] : [];
  });
}

function exampleLines({ command, purpose }: Example): string[] {
  return [command, `    ${purpose}`];
}

function exitCodeLines([code, meaning]: readonly [string, string]): string[] {
  const [first = '', ...rest] = wrap(meaning, WIDTH - 2 - EXIT_CODE_COLUMN);
  return [code.padEnd(EXIT_CODE_COLUMN) + first, ...rest.map((line) => ' '.repeat(EXIT_CODE_COLUMN) + line)];
}

const exitCodeSection = section('Exit codes', EXIT_CODE_TEXTS.flatMap(exitCodeLines));

/** All there is to know about one way to call the program. */
export function formHelp(form: FormText): string {
  const { usage, description, examples } = form;
  return [
    section('Usage', usage),
    paragraphs(description),
    section('Examples', examples.flatMap(exampleLines)),
    ...optionSections(form),
    exitCodeSection,
  ].join('\n');
}

function usageLines(forms: readonly Form[]): string[] {
  return forms.flatMap(({ usage, summary }) => [...usage, `    ${summary}`]);
}

/** What there is, and where to read on. */
export function overview(version: string, forms: readonly Form[]): string {
  return [
    paragraphs([`tsxbstream ${version}: unpacks MySQL and MariaDB backup streams (xbstream, mbstream).`]),
    section('Usage', usageLines(forms)),
    section('Examples', forms.flatMap(({ examples }) => examples.slice(0, 2)).flatMap(exampleLines)),
    section(
      'All options',
      [...forms, COMPLETION].map(({ call }) => `${call} --help`),
    ),
    exitCodeSection,
  ].join('\n');
}

/** What every program has. */
const KNOWN: readonly string[] = ['help', 'version'];

/** What is typed most often, on one screen: a reminder. */
export function briefHelp(form: FormText): string {
  const { call, usage, summary, examples } = form;
  const options = [...form.words];
  const usual = options.filter(([, { usual }]) => usual !== undefined).map(briefLine);
  const others = options
    .filter(([name, { usual, group }]) => usual === undefined && group !== 'Compatibility' && !KNOWN.includes(name))
    .map(([name]) => `--${name}`);
  const also = usual.length === 0 ? [] : wrap(`also: ${others.join(' ')}`, WIDTH);
  // Where there are two ways to call it they are examples enough.
  const example = examples.slice(0, usage.length === 1 ? 1 : 0).map(({ command }) => `as in: ${command}`);
  const blocks = [
    [...usage.map((line, index) => (index === 0 ? `usage: ${line}` : `       ${line}`)), summary],
    [...usual, ...also],
    [...example, `more:  ${call} --help, man ${manPage(form)}`],
  ];
  const filled = blocks.filter((lines) => lines.length > 0);
  return filled.map((lines) => lines.map((line) => `${line}\n`).join('')).join('\n');
}

function briefLine([name, definition]: [string, OptionDefinition]): string {
  const { usual, help } = definition;
  return optionSpelling(name, definition).padEnd(COLUMN) + (typeof usual === 'string' ? usual : help);
}

/** What the manual page of a form is called. */
export function manPage({ name }: FormText): string {
  return name === XBSTREAM.name ? 'tsxbstream' : `tsxbstream-${name}`;
}

/** One screen for someone who has typed nothing but the program's name. */
export function shortHelp(forms: readonly Form[]): string {
  const verbs = [...forms.filter(({ name }) => name !== XBSTREAM.name), COMPLETION];
  const lines = verbs.map(({ name, summary }) => name.padEnd(CALL_COLUMN) + summary);
  const [unpack, pack] = XBSTREAM.usage;
  return [
    section('Usage', [unpack!, pack!, 'tsxbstream VERB [options] ...']),
    section('Verbs', lines),
    section('More', ['tsxbstream VERB -h, tsxbstream --help, man tsxbstream']),
  ].join('\n');
}
