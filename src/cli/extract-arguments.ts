import { statSync } from 'node:fs';
import type { ExtractOptions } from '../engine/extract-options.js';
import type { ExistingFilePolicy } from '../output/output.js';
import type { ReporterChoices } from '../ui/make-reporter.js';
import type { OptionValues } from './option-values.js';
import { archiveOperands } from './archive-operands.js';
import { namedPipes } from './named-pipes-choice.js';
import type { Form } from './options.js';
import { ownerOf } from './owner.js';
import {
  backupChoice,
  commonChoices,
  decodingChoices,
  digestNames,
  inputChoice,
  selectionOptions,
  type CallSurroundings,
} from './shared-arguments.js';
import { usageError } from './usage-error.js';

/** What a printer needs to know of an extraction's command line. */
export function reporterChoices(values: OptionValues, form: Form): ReporterChoices {
  return {
    ...commonChoices(values),
    dryRun: values.has('dry-run'),
    closingLine: form !== 'xbstream',
  };
}

/**
 * What an extraction is told to do.
 *
 * @param operands the words that are no options; the xbstream form ignores them, as xbstream does
 * @param surroundings tells whether a descriptor is a terminal, and where a key may be found
 * @throws XbstreamError `XB_USAGE`, and what {@link readKey} throws
 */
export function extractOptions(
  values: OptionValues,
  operands: readonly string[],
  form: Form,
  { isTerminal, env }: CallSurroundings,
): ExtractOptions {
  const existing = existingFilePolicy(values);
  const digests = digestNames(values.all('digest'));
  const chown = values.last('chown');
  const isVerb = form !== 'xbstream';
  const decompress = values.has('decompress');
  const { archive, patterns } = archiveOperands(values, isVerb ? operands : [], form);
  return {
    input: namedPipes(values) ?? inputChoice(archive, operands, form, isTerminal),
    target: values.last('directory') ?? '.',
    createTarget: isVerb,
    selection: selectionOptions(values, patterns),
    existing,
    decompress,
    ...decodingChoices(values, env, decompress),
    // xbstream leaves them so, and calls that success.
    encrypted: values.has('allow-encrypted') ? 'allow' : isVerb ? 'refuse' : 'warn',
    stripComponents: values.number('strip-components') ?? 0,
    absoluteNames: values.has('absolute-names'),
    allowSymlinks: values.has('allow-symlinks'),
    allowEmpty: values.has('allow-empty'),
    backup: backupChoice(values),
    dryRun: values.has('dry-run'),
    fsync: values.has('fsync'),
    owner: chown === undefined ? undefined : ownerOf(chown),
    keepGoing: values.has('keep-going'),
    removePartial: values.has('remove-partial'),
    digests,
    manifest: values.last('manifest'),
  };
}

/** What to say of words that `-x` ignores, as xbstream does: who typed them meant something. */
export function ignoredWords(operands: readonly string[], values: OptionValues): string[] {
  if (operands.length === 0) return [];
  const ignored = `-x reads stdin and ignores words that are no options: ${operands.join(' ')}`;
  const directory = operands.find(looksLikeDirectory);
  if (directory === undefined || values.has('directory')) return [ignored];
  return [`${ignored}; to unpack into a directory: -C ${directory}`];
}

function looksLikeDirectory(word: string): boolean {
  try {
    return statSync(word, { throwIfNoEntry: false })?.isDirectory() ?? word.includes('/');
  } catch {
    return false;
  }
}

function existingFilePolicy(values: OptionValues): ExistingFilePolicy {
  if (values.has('overwrite') && values.has('skip-existing')) {
    throw usageError(
      '--overwrite and --skip-existing exclude each other',
      '--overwrite replaces files that are there, --skip-existing keeps them: leave out one',
    );
  }
  if (values.has('overwrite')) return 'overwrite';
  if (!values.has('skip-existing')) return 'refuse';
  return values.last('skip-existing') === 'verify' ? 'keep-same-content' : 'keep-same-size';
}
