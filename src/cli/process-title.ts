import { FORMS } from './forms.js';
import { OPTIONS, type Form } from './options.js';
import { spell, type NormalisedWords } from './xbstream-grammar.js';

/** A key given on the command line is on show in the process list of the whole machine: overwrites it there. */
export function hideSecrets({ options, operands }: NormalisedWords, form: Form): void {
  if (!options.some(({ name }) => OPTIONS[name].secret === true)) return;
  const shown = options.map((option) =>
    OPTIONS[option.name].secret === true ? `--${option.name}=...` : spell(option),
  );
  // On Linux this is the memory that the kernel shows as the command line; Node fills what is left of it with zeros.
  process.title = [FORMS[form].call, ...shown, ...operands].join(' ');
}
