import { hasSecret, shownWord } from '../../input/address/address.js';
import type { Form } from './forms.js';
import { spell, type NormalisedWords } from './xbstream-grammar.js';

/** A key, or a presigned address, on the command line is on show in the process list of the whole machine: overwrites it there. */
export function hideSecrets({ options, operands }: NormalisedWords, { call, words }: Form): void {
  const isSecret = (name: string): boolean => words.get(name)?.secret === true;
  if (!options.some(({ name }) => isSecret(name)) && !operands.some(hasSecret)) return;
  const shown = options.map((option) => (isSecret(option.name) ? `--${option.name}=...` : spell(option)));
  // On Linux this is the memory that the kernel shows as the command line; Node fills what is left of it with zeros.
  process.title = [call, ...shown, ...operands.map(shownWord)].join(' ');
}
