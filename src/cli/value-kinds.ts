/** What the value of an option may be. */
export interface ValueKind {
  /** As the end of the sentence `--option takes ...`. */
  expects: string;
  accepts(text: string): boolean;
}

const isWhole = (text: string): boolean => /^\d{1,15}$/.test(text);

export const wholeNumber: ValueKind = { expects: 'a whole number, 0 or more', accepts: isWhole };

export const positiveNumber: ValueKind = {
  expects: 'a whole number, 1 or more',
  accepts: (text) => isWhole(text) && Number(text) > 0,
};

/** Anything but nothing. */
export function nonEmpty(what: string): ValueKind {
  return { expects: what, accepts: (text) => text !== '' };
}

/** One of a few words; `anyCase` where the words are those of others, who write them both ways. */
export function oneOf(words: readonly string[], anyCase = false): ValueKind {
  return {
    expects: `${words.slice(0, -1).join(', ')}${words.length > 1 ? ' or ' : ''}${words.at(-1) ?? ''}`,
    accepts: (text) => words.includes(anyCase ? text.toUpperCase() : text),
  };
}
