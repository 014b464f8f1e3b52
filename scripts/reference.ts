/**
 * Makes the parts of docs/ that follow from the program: `npm run reference`. They stand between markers, everything else
 * there is written by hand; a test holds that they are up to date.
 */
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OPTION_GROUPS, type OptionDefinition, type TypedOption } from '../dist/verbs/options/option.js';
import { OptionValues } from '../dist/verbs/options/option-values.js';
import { OPTIONS } from '../dist/verbs/options/table.js';
import { allForms, XBSTREAM } from '../dist/cli/grammar/forms.js';

const DOCS = new URL('../docs/', import.meta.url);

/** What of JSON Schema the records of docs/json.schema.json are made of. */
interface Schema {
  type?: string;
  const?: unknown;
  enum?: readonly string[];
  $ref?: string;
  description?: string;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  items?: Schema;
  additionalProperties?: Schema;
  anyOf?: readonly Schema[];
}

/** The records and what they are made of, and beside them which of them a verb prints. */
interface Definitions {
  records: Readonly<Record<string, Schema>>;
  verbs: Readonly<Record<string, Schema>>;
}

function definitions(): Definitions {
  const text = fs.readFileSync(new URL('json.schema.json', DOCS), 'utf8');
  const { verbs, ...records } = (JSON.parse(text) as { $defs: Record<string, Schema> }).$defs;
  return { records, verbs: verbs as Record<string, Schema> };
}

/** The name of what a reference means. */
function target({ $ref }: Schema): string {
  return $ref?.split('/').at(-1) ?? '';
}

/** A line of a table. */
function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly string[]): string {
  return [row(...head), row(...head.map(() => '---')), ...rows].join('\n');
}

function kindOf(schema: Schema): string {
  if (schema.$ref === '#/$defs/code') return 'a code';
  if (schema.$ref === '#/$defs/layer') return kindOf(definitions().records['layer']!);
  if (schema.$ref !== undefined) return `an object (${target(schema)})`;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.type === 'array') return `a list of: ${kindOf(schema.items!)}`;
  if (schema.additionalProperties !== undefined) return 'an object of strings';
  return schema.type!;
}

/** The fields of a record, its `type` left out. */
function fields({ properties = {}, required = [] }: Schema, all: Definitions): string {
  const rows = Object.entries(properties)
    .filter(([name]) => name !== 'type')
    .map(([name, schema]) => {
      const presence = required.includes(name) ? 'always' : 'where there is one';
      const meaning = schema.description ?? all.records[target(schema)]?.description ?? '';
      return row(`\`${name}\``, kindOf(schema), presence, meaning);
    });
  return table(['field', 'kind', 'present', 'what it is'], rows);
}

function recordName(name: string, { properties = {} }: Schema): string {
  const type = properties['type'];
  return type === undefined
    ? `The object ${name}`
    : `\`${String(type.const)}\`${name.endsWith('Summary') ? ` (${name})` : ''}`;
}

/** Which record types a verb prints. */
function verbTable(all: Definitions): string {
  const rows = Object.entries(all.verbs).map(([verb, { anyOf = [] }]) => {
    const names = anyOf.map(target).filter((name) => name !== 'failedSummary');
    const summary = names.find((name) => name.endsWith('Summary')) ?? 'info';
    const others = names.filter((name) => name !== summary).map((name) => `\`${name}\``);
    return row(`\`${verb}\``, others.join(', '), summary === 'info' ? '`info`' : `\`summary\` (${summary})`);
  });
  return table(['verb', 'lines', 'the last line'], rows);
}

function records(all: Definitions): string {
  return Object.entries(all.records)
    .filter(([, { properties }]) => properties !== undefined)
    .map(([name, schema]) => `### ${recordName(name, schema)}\n\n${schema.description ?? ''}\n\n${fields(schema, all)}`)
    .join('\n\n');
}

/** What is meant where an option is not given, and the option's own reading does not say it. */
const DEFAULTS: Readonly<Record<string, string>> = {
  decrypt: 'the cipher that fits the length of the key',
  'encrypt-key': 'none',
  'encrypt-key-file': 'none; `XBCRYPT_ENCRYPTION_KEY` where decoding is asked for',
  parallel: 'as many as help: at most the cores, the quota of a container, and 8 (given, up to 64)',
  'decompress-threads': 'that of `--encrypt-threads`, else that of `--parallel`',
  'encrypt-threads': 'that of `--decompress-threads`, else that of `--parallel`',
  'from-tar': 'files are packed',
  'files-from': 'none',
  'no-decode-stream': 'no: what is around an archive is undone',
  compress: 'by the ending of the file of `--output`; to stdout not at all',
  directory: 'the current directory',
  output: 'stdout',
  'tmp-dir': '`TMPDIR`, or `/tmp`',
  overwrite: 'no: a file that is there is an error',
  'skip-existing': 'no: a file that is there is an error',
  'chunk-size': '10M',
  mtime: '`@0`, the beginning of 1970',
  chown: 'who runs the program',
  manifest: 'none',
  shard: 'all of the archive',
  index: 'none',
  info: 'none',
  format: 'text, or json with `--json`',
  'fifo-streams': '1: stdin',
  'fifo-dir': 'none',
  timeout: 'for ever; 30 for a server',
  'fifo-timeout': '60',
};

/** What a word is called in the library, where that is not the name of its row in the table. */
const IN_LIBRARY: Readonly<Record<string, string>> = {
  decrypt: '',
  'no-decode-stream': '`decodeStream: false`',
  index: '`index`: of `verify` one that is made',
  overwrite: "`overwrite`; of `extract` `existing: 'overwrite'`",
  'skip-existing': "`existing: 'keep-same-size'`, with `=verify` `'keep-same-content'`",
};

/** @throws where nobody says what the default is */
function defaultOf(name: string, option: TypedOption<unknown>): string {
  if (DEFAULTS[name] !== undefined) return DEFAULTS[name];
  const value = option.read(new OptionValues(), {});
  if (value === false) return 'no';
  if (Array.isArray(value) && value.length === 0) return 'none';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new Error(`no default is known of --${name}: say it in scripts/reference.ts`);
}

function spelling(
  name: string,
  { letters = '', aliases = [], value, valueIsOptional = false }: OptionDefinition,
): string {
  const long = [name, ...aliases].map((word) => `--${word}`).join(', ');
  const given = value === undefined ? '' : valueIsOptional ? `[=${value}]` : `=${value}`;
  return `\`${[...Array.from(letters, (letter) => `-${letter}`), long].join(', ')}${given}\``;
}

/** The form without a verb. */
const AS_XBSTREAM = '`-x`/`-c`';

/** Every option, its default, what has it, and what it is called in the library. */
async function options(): Promise<string> {
  const forms = await allForms();
  const groups = new Map<string, string[]>();
  const isTold = new Set<string>();
  for (const [program, option] of Object.entries<TypedOption<unknown>>(OPTIONS)) {
    for (const [name, definition] of Object.entries(option.words)) {
      const having = forms.filter(({ words }) => words.has(name));
      const names = having.map((form) => (form === XBSTREAM ? AS_XBSTREAM : form.name));
      const who = having.length === forms.length ? 'all' : names.join(', ');
      // Two things that programs say apart may be one word on a command line.
      if (isTold.has(name)) continue;
      isTold.add(name);
      const inLibrary = IN_LIBRARY[name] ?? ('program' in option ? `\`${program}\`` : '');
      const cells = [spelling(name, definition), defaultOf(name, option), who, inLibrary, definition.help];
      const rows = groups.get(definition.group) ?? [];
      groups.set(definition.group, [...rows, row(...cells)]);
    }
  }
  const head = ['option', 'default', 'of', 'in the library', 'what it does'];
  return OPTION_GROUPS.map((group) => `## ${group}\n\n${table(head, groups.get(group) ?? [])}`).join('\n\n');
}

/** A page with what stands between its markers made anew. */
function filled(page: string, parts: Readonly<Record<string, string>>): string {
  let text = fs.readFileSync(new URL(page, DOCS), 'utf8');
  for (const [name, part] of Object.entries(parts)) {
    const marked = new RegExp(`(?<=<!-- made: ${name} -->\n)[^]*?(?=<!-- end -->)`);
    if (!marked.test(text)) throw new Error(`docs/${page} has no place for ${name}`);
    text = text.replace(marked, () => `\n${part}\n\n`);
  }
  return text;
}

/** The pages of docs/ that are made in part, as they should be. */
export async function pages(): Promise<Readonly<Record<string, string>>> {
  const all = definitions();
  return {
    'json.md': filled('json.md', { verbs: verbTable(all), records: records(all) }),
    'options.md': filled('options.md', { options: await options() }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [page, text] of Object.entries(await pages())) fs.writeFileSync(new URL(page, DOCS), text);
}
