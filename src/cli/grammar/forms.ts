/** The ways to call the program: as xbstream (`-x`, `-c`), or by a verb. */
import { wordsOf } from '../../verbs/options/table.js';
import type { OptionDefinition } from '../../verbs/options/option.js';
import { VERBS, type Registration } from '../../verbs/registry.js';
import type { AnyVerb, CallSurroundings, CallText, CallWords, VerbCall } from '../../verbs/verb.js';
import { xbstream } from './xbstream-form.js';

/** What help texts tell of a way to call the program. */
export interface FormText extends CallText {
  name: string;
  /** Other words for a verb. */
  aliases: readonly string[];
  /** Its options by their long names, in the order of help texts. */
  words: ReadonlyMap<string, OptionDefinition>;
}

export interface Form extends FormText {
  /** What a command line asks for. @throws XbstreamError `XB_USAGE`, and for keys what reading one throws */
  called(words: CallWords, surroundings: CallSurroundings): Promise<VerbCall>;
}

/** The form that has no verb. */
export const XBSTREAM: Form = { ...xbstream, name: 'xbstream', aliases: [], words: wordsOf(xbstream.options) };

/** The form of a verb. */
export async function loadForm({ name, aliases, load }: Registration): Promise<Form> {
  const verb: AnyVerb = await load();
  return {
    ...verb,
    ...{ name, aliases },
    words: wordsOf(verb.options),
    called: (words, surroundings) => Promise.resolve(verb.called(words, surroundings)),
  };
}

/** All forms, that of xbstream first. */
export async function allForms(): Promise<Form[]> {
  return [XBSTREAM, ...(await Promise.all(VERBS.map(loadForm)))];
}
