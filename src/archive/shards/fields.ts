/** Reads the fields of records that somebody else may have written: each is what it must be, or an error. */

/** A record that is not what it must be; says why, as the end of a sentence. */
export class BadRecord extends Error {}

export class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @throws BadRecord where it is no record */
  constructor(record: unknown) {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) throw new BadRecord('it is no record');
    this.#fields = record as Readonly<Record<string, unknown>>;
  }

  /** @throws BadRecord where a line is no record */
  static of(line: string): Fields {
    try {
      return new Fields(JSON.parse(line));
    } catch (error) {
      throw error instanceof SyntaxError ? new BadRecord('it is no JSON') : error;
    }
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  /** The fields of a field. */
  record(name: string): Fields {
    return new Fields(this.#fields[name]);
  }

  /** A whole number, 0 or more. @param fallback what it is where it is missing */
  number(name: string, fallback?: number): number {
    const value = this.#fields[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new BadRecord(`bad "${name}"`);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#fields[name];
    if (typeof value !== 'boolean') throw new BadRecord(`bad "${name}"`);
    return value;
  }

  /** @param most letters that it may have */
  text(name: string, most: number, fallback?: string): string {
    const value = this.#fields[name] ?? fallback;
    if (typeof value !== 'string' || value.length > most) throw new BadRecord(`bad "${name}"`);
    return value;
  }

  /** @param most texts, and letters in each */
  texts(name: string, most: number): string[] {
    const value = this.#fields[name] ?? [];
    const isGood = (each: unknown): each is string => typeof each === 'string' && each.length <= most;
    if (!Array.isArray(value) || value.length > most || !value.every(isGood)) throw new BadRecord(`bad "${name}"`);
    return value;
  }

  oneOf<const Word extends string>(name: string, words: readonly Word[]): Word {
    const value = words.find((word) => word === this.#fields[name]);
    if (value === undefined) throw new BadRecord(`bad "${name}"`);
    return value;
  }
}
