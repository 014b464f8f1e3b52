import yargs from 'yargs';
import { OptionValues } from '../../verbs/options/option-values.js';
import { usageError } from '../../verbs/options/usage-error.js';
import type { Form } from './forms.js';
import { spell, type OptionWord } from './xbstream-grammar.js';

/** The options of a verb, parsed by yargs. */
export async function parseVerb(options: readonly OptionWord[], { words }: Form): Promise<OptionValues> {
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
  for (const [name, { value, valueIsOptional }] of words) {
    // A string, whatever it is: yargs would make a number of 1e3. And of a fixed number of values: of any other it takes
    // quotes away, which may be part of a key; where there may be none, it gets some to take.
    parser.option(name, { type: 'string', ...(value === undefined || valueIsOptional === true ? {} : { nargs: 1 }) });
  }
  const quoted = ({ name, value }: OptionWord): string => {
    const isOptional = words.get(name)!.valueIsOptional === true;
    return spell({ name, value: isOptional && value !== undefined ? `"${value}"` : value });
  };
  const parsed: Readonly<Record<string, unknown>> = await parser.parse(options.map(quoted));
  const values = new Map<string, string[]>();
  for (const name of words.keys()) {
    const value = parsed[name];
    if (value !== undefined) values.set(name, [value].flat().map(String));
  }
  return new OptionValues(values);
}
