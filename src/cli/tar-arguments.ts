import { tmpdir } from 'node:os';
import type { TarOptions } from '../engine/tar-options.js';
import { MTIME_MAX_SECONDS } from '../output/tar-header.js';
import { archiveOperands } from './archive-operands.js';
import { outputChoice } from './create-arguments.js';
import type { OptionValues } from './option-values.js';
import {
  backupChoice,
  decodingChoices,
  inputChoice,
  selectionOptions,
  type CallSurroundings,
} from './shared-arguments.js';
import { usageError } from './usage-error.js';

/**
 * What a conversion to tar is told to do.
 *
 * @param operands the archive, and patterns
 * @throws XbstreamError `XB_USAGE`, and for keys what reading one throws
 */
export function tarOptions(
  values: OptionValues,
  operands: readonly string[],
  surroundings: CallSurroundings,
): TarOptions {
  const { archive, patterns } = archiveOperands(values, operands, 'convert-to-tar');
  const decompress = values.has('decompress');
  return {
    input: inputChoice(archive, operands, 'convert-to-tar', surroundings.isTerminal),
    output: outputChoice(values, 'convert-to-tar ARCHIVE', 'FILE.tar', surroundings),
    selection: selectionOptions(values, patterns),
    decompress,
    ...decodingChoices(values, surroundings.env, decompress),
    encrypted: values.has('allow-encrypted') ? 'allow' : 'refuse',
    absoluteNames: values.has('absolute-names'),
    allowEmpty: values.has('allow-empty'),
    backup: backupChoice(values),
    sparse: values.has('sparse'),
    mtime: seconds(values.last('mtime') ?? '@0'),
    stream: values.has('stream'),
    tmpDir: values.last('tmp-dir') ?? tmpdir(),
  };
}

/** A time in seconds since 1970; one without a zone is in UTC: the same command gives the same tar everywhere. */
function seconds(text: string): number {
  const isIso = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const zoned = /^\d{4}-\d\d-\d\d[T ][\d:]+$/.test(text) ? `${text}Z` : text;
  const found = /^@\d+$/.test(text) ? Number(text.slice(1)) : isIso ? Date.parse(zoned.replace(' ', 'T')) / 1000 : NaN;
  // The 31st of February would be taken for a day in March.
  const day = text.slice(0, 10);
  const isDay = !isIso || new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  if (isDay && found >= 0 && found <= MTIME_MAX_SECONDS) return found;
  throw usageError(
    `--mtime takes a time from 1970 to 2242, not "${text}"`,
    'as in: --mtime 2026-01-31T12:00:00Z, or in seconds since 1970: --mtime @1700000000',
  );
}
