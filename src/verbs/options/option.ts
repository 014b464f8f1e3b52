/**
 * What an option is: one row of the table says how it is typed, what a program gives for it, what it means, and what a verb
 * is told in the end.
 */
import { OptionValues } from './option-values.js';
import type { ProgramKind } from './program-options.js';
import { oneOf, type ValueKind } from './value-kinds.js';

/** Headings of the help text, in its order. */
export const OPTION_GROUPS = [
  'What to do',
  'Which files',
  'Where to',
  'Checking',
  'What is shown',
  'Threads and keys',
  'Compatibility',
] as const;
type OptionGroup = (typeof OPTION_GROUPS)[number];

/** How an option is typed. */
export interface OptionDefinition {
  /** Letters that stand for it, the usual one first. */
  letters?: string;
  /** Other long names. */
  aliases?: readonly string[];
  /** The name of its value in help texts. An option without one is a flag. */
  value?: string;
  /** The value may be left out, and then never follows as a word of its own. */
  valueIsOptional?: boolean;
  /** What the value may be. */
  kind?: ValueKind;
  /** Given several times it adds up; of the others the last one counts. */
  addsUp?: boolean;
  /** Several times it is an error: what all but one of them name would be left out. */
  once?: boolean;
  /**
   * xbstream or mbstream has it. Among the options of their form, abbreviations mean these first: what was unique there
   * stays unique.
   */
  classic?: boolean;
  group: OptionGroup;
  help: string;
  /** It is among those used most, which `-h` tells: in these words, at most 51 characters, or with `true` in those of `help`. */
  usual?: true | string;
  /** The value is never shown anywhere. */
  secret?: boolean;
}

/** A thing that only a command line can say. */
export interface TypedOption<Value> {
  /** Its words, by long names: most have one. */
  readonly words: Readonly<Record<string, OptionDefinition>>;
  /** What a command line says of it. @throws XbstreamError `XB_USAGE` and the like */
  readonly read: (values: OptionValues, env: NodeJS.ProcessEnv) => Value;
}

/** A thing that a program can say, too (or alone: then it has no words). */
export interface Option<Value, Given = Value> extends TypedOption<Value> {
  readonly program: {
    readonly kind: ProgramKind;
    /** What is meant by what was given, or by nothing. @throws XbstreamError `XB_USAGE` and the like */
    readonly take: (given: Given | undefined) => Value;
  };
}

/** The options of a verb, by the names that programs give them. */
export type OptionTable = Readonly<Record<string, TypedOption<unknown>>>;

/** What a verb is told. */
export type Told<Table extends OptionTable> = { [Name in keyof Table]: ReturnType<Table[Name]['read']> };

/** What a program may give. */
export type Given<Table extends OptionTable> = {
  [Name in keyof Table as Table[Name] extends { program: unknown } ? Name : never]?: Table[Name] extends {
    program: { take: (given: infer Value) => unknown };
  }
    ? Value
    : never;
};

export function flag(name: string, definition: OptionDefinition): Option<boolean> {
  return { ...typedFlag(name, definition), program: { kind: 'boolean', take: (given) => given ?? false } };
}

export function typedFlag(name: string, definition: OptionDefinition): TypedOption<boolean> {
  return { words: { [name]: definition }, read: (values) => values.has(name) };
}

/** A whole number, 0 or more. */
export function count(name: string, definition: OptionDefinition): Option<number | undefined> {
  return {
    words: { [name]: definition },
    read: (values) => {
      const text = values.last(name);
      return text === undefined ? undefined : Number(text);
    },
    program: { kind: 'count', take: (given) => given },
  };
}

/** The last of the texts given. */
export function text(name: string, definition: OptionDefinition): Option<string | undefined> {
  return { ...typedText(name, definition), program: { kind: 'text', take: (given) => given } };
}

export function typedText(name: string, definition: OptionDefinition): TypedOption<string | undefined> {
  return { words: { [name]: definition }, read: (values) => values.last(name) };
}

/** All that were given. @param parse makes names of what was typed once */
export function texts(
  name: string,
  definition: OptionDefinition,
  parse: (typed: string) => readonly string[] = (typed) => [typed],
): Option<readonly string[]> {
  return {
    words: { [name]: { ...definition, addsUp: true } },
    read: (values) => values.all(name).flatMap(parse),
    program: { kind: 'texts', take: (given) => given ?? [] },
  };
}

/** One of a few words. @param fallback what is meant where none is given */
export function choice<const Word extends string>(
  name: string,
  definition: OptionDefinition,
  words: readonly Word[],
  fallback: Word,
): Option<Word> {
  return {
    ...typedChoice(name, definition, words, fallback),
    program: { kind: words, take: (given) => given ?? fallback },
  };
}

export function typedChoice<const Word extends string>(
  name: string,
  definition: OptionDefinition,
  words: readonly Word[],
  fallback: Word,
): TypedOption<Word> {
  return {
    words: { [name]: { ...definition, kind: oneOf(words) } },
    // What was typed has been held against these words.
    read: (values) => (values.last(name) as Word | undefined) ?? fallback,
  };
}

/** At most so many characters are told of an option in a line. */
const USUAL_LENGTH = 51;

/** The same option, with other words in help texts. */
export function reworded<Kept extends TypedOption<unknown>>(
  option: Kept,
  help: Readonly<Record<string, string>>,
): Kept {
  const words = Object.entries(option.words).map(([name, definition]) => {
    const { [name]: other } = help;
    if (other === undefined) return [name, definition] as const;
    const { usual, ...rest } = definition;
    const isShort = other.length <= USUAL_LENGTH;
    const said = usual === undefined ? {} : isShort ? { usual: true as const } : usual === true ? {} : { usual };
    return [name, { ...rest, ...said, help: other }] as const;
  });
  return { ...option, words: Object.fromEntries(words) };
}

/** Some options of a table. */
export function pick<Table extends OptionTable, const Name extends keyof Table>(
  table: Table,
  ...names: readonly Name[]
): Pick<Table, Name> {
  return Object.fromEntries(names.map((name) => [name, table[name]])) as Pick<Table, Name>;
}

/** A table without some of its options. */
export function omit<Table extends OptionTable, const Name extends keyof Table>(
  table: Table,
  ...names: readonly Name[]
): Omit<Table, Name> {
  const kept = Object.entries(table).filter(([name]) => !names.includes(name as Name));
  return Object.fromEntries(kept) as Omit<Table, Name>;
}

/** What a command line says. @throws XbstreamError `XB_USAGE` and the like */
export function told<Table extends OptionTable>(
  table: Table,
  values: OptionValues,
  env: NodeJS.ProcessEnv,
): Told<Table> {
  const entries = Object.entries(table).map(([name, option]) => [name, option.read(values, env)] as const);
  return Object.fromEntries(entries) as Told<Table>;
}

/** What a program says, checked already. @throws XbstreamError `XB_USAGE` and the like */
export function given<Table extends OptionTable>(
  table: Table,
  options: Readonly<Record<string, unknown>>,
): Told<Table> {
  const nothing = new OptionValues();
  const entries = Object.entries(table).map(([name, option]) => {
    const isForPrograms = (each: TypedOption<unknown>): each is Option<unknown, unknown> => 'program' in each;
    return [name, isForPrograms(option) ? option.program.take(options[name]) : option.read(nothing, {})] as const;
  });
  return Object.fromEntries(entries) as Told<Table>;
}

/** An option as only a command line has it. */
export function typed<Value>({ words, read }: TypedOption<Value>): TypedOption<Value> {
  return { words, read };
}
