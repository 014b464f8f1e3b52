/** The manual pages: one for the program and one for each verb, from the tables of options and forms (man(7)). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPTION_GROUPS } from '../../verbs/options/option.js';
import type { Example } from '../../verbs/verb.js';
import { COMPLETION } from '../completion/form.js';
import { allForms, XBSTREAM, type Form, type FormText } from '../grammar/forms.js';
import { version } from '../package-version.js';
import { EXIT_CODE_TEXTS, manPage, optionSpelling, SIGNAL_TEXTS } from './help.js';
import { ENVIRONMENT, EXIT_NOTES, topicsOf, type Topic } from './man-topics.js';
import { wrap } from './wrap.js';

/** When the pages were last gone over: a build gives the same pages on any day. */
const DATE = '2026-11-29';

/** Pages of other programs that have to do with ours. */
const ELSEWHERE = ['mbstream', 'mariadb-backup', 'tar', 'sha256sum'];

/** Writes the pages into a folder, which is made where it is missing: a step of the build. */
export async function writeManPages(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of manPages(version(), await allForms())) writeFileSync(join(folder, name), text);
}

/** The pages by their file names. */
export function manPages(programVersion: string, forms: readonly Form[]): Map<string, string> {
  const all: readonly FormText[] = [...forms, COMPLETION];
  const pages = all.flatMap((form) => {
    const text = page(form, programVersion, all);
    return [manPage(form), ...aliasPages(form)].map((name) => [`${name}.1`, text] as const);
  });
  return new Map(pages);
}

/** What the pages of other names for a verb are called. They are that of the verb: links do not survive packing. */
function aliasPages({ aliases }: FormText): string[] {
  return aliases.map((alias) => `tsxbstream-${alias}`);
}

function page(form: FormText, programVersion: string, forms: readonly FormText[]): string {
  const { name, usage, summary, description, examples } = form;
  const isProgram = name === XBSTREAM.name;
  const usages = isProgram ? forms.flatMap((each) => each.usage) : usage;
  const verbs = forms.filter((each) => each.name !== XBSTREAM.name);
  return [
    `.TH ${manPage(form).toUpperCase()} 1 ${DATE} "tsxbstream ${programVersion}" "User Commands"`,
    // Neither hyphens nor spaces are put into what is to be typed.
    '.nh\n.ad l',
    section(
      'NAME',
      prose(`${[manPage(form), ...aliasPages(form)].join(', ')} - ${isProgram ? PROGRAM_SUMMARY : summary}`),
    ),
    section('SYNOPSIS', usages.map((line) => `.B ${roff(line)}`).join('\n.br\n')),
    section('DESCRIPTION', description.map(prose).join('\n.PP\n')),
    ...(isProgram ? [section('COMMANDS', verbs.map((verb) => tagged(verb.call, verb.summary)).join('\n'))] : []),
    section(isProgram ? 'OPTIONS OF -x AND -c' : 'OPTIONS', options(form)),
    ...topicsOf(form).map(topicSection),
    section(
      'EXIT STATUS',
      [...EXIT_CODE_TEXTS.map(([code, meaning]) => tagged(code, meaning)), `.PP\n${prose(EXIT_NOTES)}`].join('\n'),
    ),
    section('SIGNALS', SIGNAL_TEXTS.map(([name, meaning]) => tagged(name, meaning)).join('\n')),
    section('ENVIRONMENT', ENVIRONMENT.map(([name, meaning]) => tagged(name, meaning)).join('\n')),
    section('EXAMPLES', examples.map(example).join('\n')),
    section('SEE ALSO', seeAlso(form, forms)),
  ]
    .join('\n')
    .concat('\n');
}

const PROGRAM_SUMMARY = 'unpack, inspect, prove and convert MySQL and MariaDB backup streams';

function section(title: string, body: string): string {
  return `.SH ${roff(title)}\n${body}`;
}

function topicSection({ title, blocks }: Topic): string {
  const texts = blocks.map((block, index) => {
    if (typeof block === 'string') return index === 0 ? prose(block) : `.PP\n${prose(block)}`;
    return block.map(([tag, meaning]) => tagged(tag, meaning)).join('\n');
  });
  return section(title, texts.join('\n'));
}

function tagged(tag: string, text: string): string {
  return `.TP\n.B ${roff(tag)}\n${prose(text)}`;
}

function options({ words }: FormText): string {
  const all = [...words];
  return OPTION_GROUPS.flatMap((group) => {
    const own = all.filter(([, definition]) => definition.group === group);
    if (own.length === 0) return [];
    const entries = own.map(([name, definition]) => tagged(optionSpelling(name, definition).trim(), definition.help));
    return [`.SS ${roff(group)}`, ...entries];
  }).join('\n');
}

function example({ command, purpose }: Example): string {
  return `.TP\n${prose(purpose)}:\n.nf\n${roff(command)}\n.fi`;
}

function seeAlso({ name }: FormText, forms: readonly FormText[]): string {
  const ours = forms.filter((other) => other.name !== name).map(manPage);
  return [...ours, ...ELSEWHERE].map((page) => `.BR ${roff(page)} (1)`).join(',\n');
}

/** No line of a page is longer. */
const LINE_WIDTH = 78;

/** Text that is filled: its lines are those of the page's source. */
function prose(text: string): string {
  const lines = wrap(roff(text), LINE_WIDTH);
  return lines.map((line) => line.replace(/^[.']/, String.raw`\&$&`)).join('\n');
}

/** Text as roff takes it for itself, but for what only the beginning of a line means. */
function roff(text: string): string {
  return text.replaceAll('\\', String.raw`\e`).replaceAll('-', String.raw`\-`);
}
