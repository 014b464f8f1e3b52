/** The options of a command line: every value in the order given, an empty text for a value that was left out. */
export class OptionValues {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Of an option given several times the last one counts. */
  last(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /** Every value of an option that adds up. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  names(): string[] {
    return [...this.#values.keys()];
  }
}
