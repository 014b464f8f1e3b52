import { readKey } from '../codec/key.js';
import { XbstreamError } from '../errors.js';
import type { InputChoice, StreamKey } from '../input/open-source.js';
import type { OptionValues } from './option-values.js';

/**
 * Says of an input what is to be done about what the archive is wrapped in as a whole.
 *
 * @param options of the verb that reads it
 * @throws XbstreamError what {@link readKey} throws
 */
export function chooseStream(
  options: { input: InputChoice; key?: StreamKey | undefined },
  values: OptionValues,
  env: NodeJS.ProcessEnv,
): void {
  const asIs = values.has('no-decode-stream');
  // The file of a key may be a pipe, and is read once.
  const key = options.key ?? streamKey(values, env);
  if (asIs || key !== undefined) options.input.stream = { asIs, key };
}

function streamKey(values: OptionValues, env: NodeJS.ProcessEnv): StreamKey | undefined {
  const encryptKey = values.last('encrypt-key');
  const encryptKeyFile = values.last('encrypt-key-file');
  try {
    return readKey({ decodes: true, decrypt: values.last('decrypt'), encryptKey, encryptKeyFile }, env);
  } catch (error) {
    // One that nobody spoke of, and that is none, is missed only where something is encrypted.
    const isGiven = [encryptKey, encryptKeyFile].some((given) => given !== undefined);
    if (!isGiven && error instanceof XbstreamError) return undefined;
    throw error;
  }
}
