/** Tells in an error how to save the files that are not damaged. */
import { ForeignInput } from '../../archive/foreign.js';
import { isCut, type XbstreamError, type XbstreamErrorCode } from '../../errors.js';
import { shellWord } from '../../format/shell-word.js';
import { archiveName, type InputChoice } from '../../input/open-source.js';
import type { UnpackJob } from './unpack-job.js';
import type { ExtractOptions } from './unpack-options.js';

/** What costs some files of an archive, but not the others. */
const DAMAGE: ReadonlySet<XbstreamErrorCode> = new Set([
  'XB_TRUNCATED',
  'XB_MISSING_EOF',
  'XB_BAD_MAGIC',
  'XB_BAD_HEADER',
  'XB_UNKNOWN_CHUNK',
  'XB_PATH_TOO_LONG',
  'XB_UNSAFE_PATH',
  'XB_BAD_CRC',
  'XB_BAD_SPARSE_MAP',
  'XB_OVERLAP',
  'XB_DUPLICATE_PATH',
  'XB_GAP',
  'XB_BAD_LAYER',
  'XB_LAYER_TRUNCATED',
]);

/** What of a run its cure depends on. */
type CurableJob = UnpackJob | { verb: 'verify'; options: { input: InputChoice } };

/**
 * The errors of a run, the first that tells of damage with what saves the rest.
 *
 * @param hasWhole some file may be whole: else there is nothing to be saved
 */
export function withCure(errors: readonly XbstreamError[], job: CurableJob, hasWhole = true): readonly XbstreamError[] {
  const index = errors.findIndex((error) => isCurable(error));
  return index === -1 || !hasWhole ? errors : errors.with(index, errors[index]!.with({ hints: hintsFor(errors, job) }));
}

function isCurable(error: XbstreamError): boolean {
  // Of what is packed as a whole nothing can be saved.
  return DAMAGE.has(error.code) && !(error instanceof ForeignInput);
}

/** An input as a command line has it. */
function archiveWords(input: InputChoice): string {
  if (input.kind === 'parts') return `--parts ${input.paths.map(shellWord).join(' ')}`;
  return shellWord(archiveName(input));
}

function hintsFor(errors: readonly XbstreamError[], job: CurableJob): string[] {
  const { input } = job.options;
  const archive = archiveWords(input);
  const from = archive === '-' ? '... | ' : '';
  if (job.verb === 'verify') {
    return [`to save every file that is whole: ${from}tsxbstream extract --keep-going -C DIR ${archive}`];
  }
  const { target, keepGoing, dryRun, existing } = job.options;
  const goOn = 'with the whole archive at hand, the same command with --skip-existing goes on where this run stopped';
  const isShort = errors.some(isCut) && !dryRun;
  const words = `--keep-going${existing === 'refuse' ? ' --skip-existing' : ''}`;
  const again = saysMore(job.options)
    ? `the same command with ${words}`
    : `${from}tsxbstream extract --keep-going --skip-existing -C ${shellWord(target)} ${archive}`;
  return [...(isShort ? [goOn] : []), ...(keepGoing ? [] : [`to save the rest: ${again}`])];
}

/** Whether a run was told what decides which files come, what they are called, whose they are, or what is in them. */
function saysMore(options: ExtractOptions): boolean {
  const { include, exclude, tables, databases, input } = options;
  if (input.kind === 'named-pipes' || options.index !== undefined) return false;
  return (
    [include, exclude, tables, databases].some((names) => names.length > 0) ||
    options.decompress ||
    options.key !== undefined ||
    options.stripComponents > 0 ||
    options.owner !== undefined ||
    options.absoluteNames ||
    options.allowSymlinks ||
    options.existing !== 'refuse' ||
    input.stream !== undefined
  );
}
