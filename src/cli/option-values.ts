import { OPTIONS, optionsOf, type Form, type OptionName } from './options.js';
import { usageError } from './usage-error.js';
import { spell, type NormalisedWords, type OptionWord } from './xbstream-grammar.js';

/** The options of a command line: every value in the order given, an empty text for a value that was left out. */
export class OptionValues {
  readonly #values: ReadonlyMap<OptionName, readonly string[]>;

  constructor(values: ReadonlyMap<OptionName, readonly string[]>) {
    this.#values = values;
  }

  has(name: OptionName): boolean {
    return this.#values.has(name);
  }

  /** Of an option given several times the last one counts. */
  last(name: OptionName): string | undefined {
    return this.all(name).at(-1);
  }

  /** Every value of an option that adds up. */
  all(name: OptionName): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  number(name: OptionName): number | undefined {
    const text = this.last(name);
    return text === undefined ? undefined : Number(text);
  }

  names(): OptionName[] {
    return [...this.#values.keys()];
  }
}

/**
 * Forms whose normalised words are read as they are: yargs takes longer to load than Node to start (110 ms beside 80 ms,
 * Node 20, 2 cores). That is felt at the end of an ssh pipe, and where the answer itself takes no longer.
 */
const READ_DIRECTLY: ReadonlySet<Form> = new Set(['xbstream', 'list', 'verify', 'info', 'cat']);

/**
 * The options of a normalised command line as values.
 *
 * @throws XbstreamError `XB_USAGE`
 */
export async function readValues({ options }: NormalisedWords, form: Form): Promise<OptionValues> {
  const values = READ_DIRECTLY.has(form) ? readWords(options) : await parseVerb(options, form);
  checkValues(values);
  return values;
}

function readWords(options: readonly OptionWord[]): OptionValues {
  const values = new Map<OptionName, string[]>();
  for (const { name, value = '' } of options) values.set(name, [...(values.get(name) ?? []), value]);
  return new OptionValues(values);
}

async function parseVerb(options: readonly OptionWord[], verb: Form): Promise<OptionValues> {
  const { default: yargs } = await import('yargs');
  const parser = yargs([])
    .parserConfiguration({
      // Every name means itself, and every value is the text that was typed.
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': true,
    })
    .strict()
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail((message: string, error: Error | undefined) => {
      throw error ?? usageError(message);
    });
  for (const [name, { value, valueIsOptional }] of optionsOf(verb)) {
    // A string, whatever it is: yargs would make a number of 1e3. And of a fixed number of values: of any other it takes
    // the quotes away, which may be part of a key.
    parser.option(name, { type: 'string', ...(value === undefined || valueIsOptional === true ? {} : { nargs: 1 }) });
  }
  const parsed: Readonly<Record<string, unknown>> = await parser.parse(options.map(spell));
  const values = new Map<OptionName, string[]>();
  for (const name of optionsOf(verb).keys()) {
    const value = parsed[name];
    if (value !== undefined) values.set(name, [value].flat().map(String));
  }
  return new OptionValues(values);
}

/** Checks every value against what its option takes. */
function checkValues(values: OptionValues): void {
  for (const name of values.names()) {
    const { kind, secret, valueIsOptional } = OPTIONS[name];
    for (const value of values.all(name)) {
      if (kind === undefined || (valueIsOptional === true && value === '') || kind.accepts(value)) continue;
      throw usageError(`--${name} takes ${kind.expects}${secret === true || value === '' ? '' : `, not "${value}"`}`);
    }
  }
}
