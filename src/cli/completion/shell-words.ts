/** Words of a command line that is not finished, as a shell has them, and back. */
import { homedir } from 'node:os';

/** A word, or the beginning of one. */
export interface TypedWord {
  /** What it means. */
  text: string;
  /** The quote that is still open at its end. */
  quote: '"' | "'" | '';
}

/** @param isRaw it is as it was typed, which bash gives; zsh and fish give what they have understood */
export function typedWord(word: string, isRaw: boolean): TypedWord {
  const typed = isRaw ? unquoted(word) : ({ text: word, quote: '' } as const);
  const isHome = typed.text.startsWith('~/');
  return isHome ? { ...typed, text: homedir() + typed.text.slice(1) } : typed;
}

/** Quotes and backslashes undone, as the shell does (POSIX.1-2017, Shell Command Language, 2.2). */
function unquoted(word: string): TypedWord {
  let text = '';
  let quote: TypedWord['quote'] = '';
  for (let at = 0; at < word.length; at += 1) {
    const letter = word[at]!;
    if (quote === '' && (letter === '"' || letter === "'")) quote = letter;
    else if (letter === quote) quote = '';
    else if (letter === '\\' && quote !== "'" && (quote === '' || /["\\$`]/.test(word[at + 1] ?? ''))) {
      at += 1;
      text += word[at] ?? '';
    } else text += letter;
  }
  return { text, quote };
}

/** What bash would act on: names come out of archives, and are not to run anything. */
const ACTED_ON = /[^\w@%+=:,./\u0080-\uffff-]/g;
/** What it would act on inside of quotes, or what ends these. */
const ACTED_ON_QUOTED = { '"': /["$`\\!]/, "'": /'/ } as const;

/** A candidate as it is to be put into the line; nothing where there is no way to. (zsh and fish quote by themselves.) */
export function forLine(text: string, { quote }: TypedWord, isRaw: boolean): string[] {
  if (!isRaw) return [text];
  if (quote === '') return [text.replace(ACTED_ON, String.raw`\$&`)];
  return ACTED_ON_QUOTED[quote].test(text) ? [] : [text];
}
