import { looksLikeAddress, shownWord } from '../../input/address/address.js';
import { OptionValues } from '../../verbs/options/option-values.js';
import { assertExact, type TypedWords } from '../../verbs/options/raw-words.js';
import { usageError } from '../../verbs/options/usage-error.js';
import type { Form } from './forms.js';
import type { NormalisedWords, OptionWord } from './xbstream-grammar.js';

/**
 * The options of a normalised command line as values. Those of verbs are parsed by yargs; the form of xbstream is read as it
 * is: at the end of an ssh pipe the 30 ms are felt that yargs takes to load.
 *
 * @throws XbstreamError `XB_USAGE`
 */
export async function readValues({ options }: NormalisedWords, form: Form, typed: TypedWords): Promise<OptionValues> {
  // yargs has a bundle of its own.
  const values =
    form.name === 'xbstream' ? readWords(options) : await (await import('./parse-verb.js')).parseVerb(options, form);
  checkValues(values, form, typed);
  return values;
}

function readWords(options: readonly OptionWord[]): OptionValues {
  const values = new Map<string, string[]>();
  for (const { name, value = '' } of options) values.set(name, [...(values.get(name) ?? []), value]);
  return new OptionValues(values);
}

/** Checks every value against what its option takes. */
function checkValues(values: OptionValues, { words }: Form, typed: TypedWords): void {
  for (const name of values.names()) {
    const { kind, secret, valueIsOptional, once } = words.get(name)!;
    if (once === true && values.all(name).length > 1) {
      throw usageError(`--${name} was given more than once`, 'all of them but one would be left out: give it once');
    }
    for (const value of values.all(name)) {
      if (kind === undefined || (valueIsOptional === true && value === '')) continue;
      if (kind.isPath === true) assertExact(`the value of --${name}`, value, typed);
      if (kind.accepts(value)) continue;
      throw usageError(
        `--${name} takes ${kind.expects}${secret === true || value === '' ? '' : `, not "${shownWord(value)}"`}`,
        ...(kind.isPath === true ? pathHints(value) : []),
      );
    }
  }
}

function pathHints(value: string): string[] {
  if (value === '-') return ['a file of that name is ./-'];
  return looksLikeAddress(value)
    ? ['what lies at an address has to be fetched first, as by: curl -o FILE ADDRESS']
    : [];
}
