/**
 * The grammar of Percona's and MariaDB's command lines (MySQL's `my_getopt`), brought to one spelling before anything else
 * looks at it. Both ways to call the program use it.
 */
import type { XbstreamError } from '../../errors.js';
import type { OptionDefinition } from '../../verbs/options/option.js';
import { closest } from '../../verbs/options/suggestion.js';
import { usageError } from '../../verbs/options/usage-error.js';
import type { Form } from './forms.js';

/** An option as it was meant. */
export interface OptionWord {
  name: string;
  /** Undefined for a flag, and for an option whose value was left out. */
  value: string | undefined;
}

export interface NormalisedWords {
  /** In the order given, so that the last of several can win. */
  options: OptionWord[];
  /** Everything that is no option, in the order given. */
  operands: string[];
}

/** The one spelling of an option. */
export function spell({ name, value }: OptionWord): string {
  return value === undefined ? `--${name}` : `--${name}=${value}`;
}

/**
 * Brings a command line to one spelling: long names in full, every value beside its option, bundles of letters taken apart.
 *
 * Accepts what `my_getopt` does: `--name=value`, `--name value`, `-Nvalue`, `-N value`, bundles (`-xvC dir`), `_` for `-`
 * in long names, unique prefixes of long names, options after operands, and `--` to end them. As there, the word after
 * an option that needs a value is its value whatever it looks like: a key may begin with `-`.
 *
 * @param words what was typed, without the verb
 * @throws XbstreamError `XB_USAGE`
 * @throws UnknownOption
 */
export function normaliseWords(words: readonly string[], form: Form): NormalisedWords {
  return new Normaliser(words, form).run();
}

/** An option that a form does not have: another may have it. */
export class UnknownOption extends Error {
  readonly #hints: readonly string[];
  /** Whether a form has it. */
  readonly isOf: (form: Pick<Form, 'words'>) => boolean;

  /** @param hints what to do, where no other form has it either */
  constructor(typed: string, hints: readonly string[], isOf: (form: Pick<Form, 'words'>) => boolean) {
    super(`unknown option ${typed}`);
    this.#hints = hints;
    this.isOf = isOf;
  }

  /** @param elsewhere which others have it */
  asUsageError(elsewhere: readonly string[]): XbstreamError {
    return usageError(this.message, ...elsewhere, ...this.#hints);
  }
}

class Normaliser {
  readonly #words: readonly string[];
  readonly #form: Form;
  readonly #result: NormalisedWords = { options: [], operands: [] };
  #next = 0;

  constructor(words: readonly string[], form: Form) {
    this.#words = words;
    this.#form = form;
  }

  run(): NormalisedWords {
    while (this.#next < this.#words.length) {
      const word = this.#words[this.#next++]!;
      if (word === '--') {
        this.#result.operands.push(...this.#words.slice(this.#next));
        break;
      }
      if (word.startsWith('--')) this.#long(word.slice(2));
      else if (word.startsWith('-') && word !== '-') this.#bundle(word.slice(1));
      else this.#result.operands.push(word);
    }
    return this.#result;
  }

  #long(text: string): void {
    const equals = text.indexOf('=');
    const typed = equals === -1 ? text : text.slice(0, equals);
    const name = this.#resolve(typed);
    const definition = this.#form.words.get(name)!;
    let value = equals === -1 ? undefined : text.slice(equals + 1);
    if (definition.value === undefined && value !== undefined) {
      throw usageError(`--${name} takes no value`, `leave out everything from the "=": --${name}`);
    }
    if (value === undefined && definition.value !== undefined && definition.valueIsOptional !== true) {
      value = this.#following(`--${name}`, definition);
    }
    this.#result.options.push({ name, value });
  }

  /** `xvC` and what follows; the first letter that takes a value takes the rest of the word, or the next word. */
  #bundle(letters: string): void {
    for (let at = 0; at < letters.length; at += 1) {
      const letter = String.fromCodePoint(letters.codePointAt(at)!);
      const [name, definition] = this.#byLetter(letter);
      if (definition.value === undefined) {
        this.#result.options.push({ name, value: undefined });
        continue;
      }
      const rest = letters.slice(at + letter.length);
      const value = rest === '' ? this.#following(`-${letter}`, definition) : rest;
      this.#result.options.push({ name, value });
      return;
    }
  }

  #following(option: string, definition: OptionDefinition): string {
    const value = this.#words[this.#next++];
    if (value !== undefined) return value;
    const what = definition.kind?.expects ?? 'a value';
    throw usageError(`${option} needs ${what}`, `as in: ${option} ${definition.value ?? ''}`, this.#seeHelp());
  }

  #byLetter(letter: string): [string, OptionDefinition] {
    const find = ({ words }: Pick<Form, 'words'>) => [...words].find(([, { letters }]) => letters?.includes(letter));
    const entry = find(this.#form);
    if (entry !== undefined) return entry;
    throw new UnknownOption(`-${letter}`, [this.#seeHelp()], (form) => find(form) !== undefined);
  }

  /** The option that a long name, perhaps abbreviated, stands for. */
  #resolve(typed: string): string {
    const wanted = typed.replaceAll('_', '-');
    const spellings = [...this.#form.words].flatMap(([name, { aliases = [] }]) =>
      [name, ...aliases].map((spelling) => ({ name, spelling })),
    );
    const exact = spellings.find(({ spelling }) => spelling === wanted);
    if (exact !== undefined) return exact.name;
    const matches = new Set(
      spellings.filter(({ spelling }) => wanted !== '' && spelling.startsWith(wanted)).map(({ name }) => name),
    );
    const isClassic = (name: string): boolean => this.#form.words.get(name)!.classic === true;
    const classic = [...matches].filter((name) => this.#form.name === 'xbstream' && isClassic(name));
    const [first, ...others] = classic.length > 0 ? classic : matches;
    if (first !== undefined && others.length === 0) return first;
    if (first !== undefined) {
      throw usageError(`--${typed} is ambiguous`, `it could be ${[...matches].map((name) => `--${name}`).join(', ')}`);
    }
    const similar = closest(
      wanted,
      spellings.map(({ spelling }) => spelling),
    );
    const hints = similar === undefined ? [] : [`did you mean --${similar}?`];
    const isElsewhere = ({ words }: Pick<Form, 'words'>): boolean => similar === undefined && words.has(wanted);
    throw new UnknownOption(`--${typed}`, [...hints, this.#seeHelp()], isElsewhere);
  }

  #seeHelp(): string {
    return `all options: ${this.#form.call} --help`;
  }
}
