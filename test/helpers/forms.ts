import { allForms, type Form } from '../../dist/cli/grammar/forms.js';

/** All ways to call the program, that of xbstream first. */
export const FORMS = await allForms();

/** Those that are called by a verb. */
export const VERBS = FORMS.filter(({ name }) => name !== 'xbstream');

export function formOf(name: string): Form {
  return FORMS.find((form) => form.name === name)!;
}
