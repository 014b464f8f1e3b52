/** The manual pages: one for the program and one for each verb, from the tables of options and forms (man(7)). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES, SIGNALS, optionSpelling } from './help.js';
import { OPTION_GROUPS } from '../../verbs/options/option.js';
import type { Example } from '../../verbs/verb.js';
import { allForms, XBSTREAM, type Form } from '../grammar/forms.js';
import { version } from '../package-version.js';

const ENVIRONMENT = [
  ['XBCRYPT_ENCRYPTION_KEY', 'the key for --decrypt, where no option gives one'],
  ['NO_COLOR', 'when it is not empty, nothing is coloured unless --color=always says so'],
  ['TSXBSTREAM_DEBUG', 'when it is not empty, a bug is told with its stack'],
] as const;

/** Writes the pages into a folder, which is made where it is missing: a step of the build. */
export async function writeManPages(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of manPages(version(), await allForms())) writeFileSync(join(folder, name), text);
}

/** The pages by their file names. */
export function manPages(programVersion: string, forms: readonly Form[]): Map<string, string> {
  return new Map(forms.map((form) => [`${pageName(form)}.1`, page(form, programVersion, forms)]));
}

function pageName({ name }: Form): string {
  return name === XBSTREAM.name ? 'tsxbstream' : `tsxbstream-${name}`;
}

function page(form: Form, programVersion: string, forms: readonly Form[]): string {
  const { name, usage, summary, description, examples } = form;
  const isProgram = name === XBSTREAM.name;
  const usages = isProgram ? forms.flatMap((each) => each.usage) : usage;
  const commands = forms.filter((each) => each.name !== XBSTREAM.name);
  return [
    `.TH ${pageName(form).toUpperCase()} 1 "" "tsxbstream ${programVersion}" "User Commands"`,
    // Neither hyphens nor spaces are put into what is to be typed.
    '.nh\n.ad l',
    section('NAME', `${roff(pageName(form))} \\- ${roff(isProgram ? PROGRAM_SUMMARY : summary)}`),
    section('SYNOPSIS', usages.map((line) => `.B ${roff(line)}`).join('\n.br\n')),
    section('DESCRIPTION', description.map(roff).join('\n.PP\n')),
    ...(isProgram ? [section('COMMANDS', commands.map((verb) => tagged(verb.call, verb.summary)).join('\n'))] : []),
    section(isProgram ? 'OPTIONS OF -x AND -c' : 'OPTIONS', options(form)),
    section('EXIT STATUS', EXIT_CODES.map(([code, meaning]) => tagged(code, meaning)).join('\n')),
    section('SIGNALS', SIGNALS.map(([name, meaning]) => tagged(name, meaning)).join('\n')),
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

function tagged(tag: string, text: string): string {
  return `.TP\n.B ${roff(tag)}\n${roff(text)}`;
}

function options({ words }: Form): string {
  const all = [...words];
  return OPTION_GROUPS.flatMap((group) => {
    const own = all.filter(([, definition]) => definition.group === group);
    if (own.length === 0) return [];
    const entries = own.map(([name, definition]) => tagged(optionSpelling(name, definition).trim(), definition.help));
    return [`.SS ${roff(group)}`, ...entries];
  }).join('\n');
}

function example({ command, purpose }: Example): string {
  return `.TP\n${roff(purpose)}:\n.nf\n${roff(command)}\n.fi`;
}

function seeAlso({ name }: Form, forms: readonly Form[]): string {
  const others = forms.filter((other) => other.name !== name);
  return others.map((other) => `.BR ${roff(pageName(other))} (1)`).join(',\n');
}

/** Text as roff takes it for itself. */
function roff(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replace(/^[.']/, String.raw`\&$&`);
}
