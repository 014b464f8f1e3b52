import type { NamedPipesChoice } from '../input/named-pipes.js';
import type { OptionValues } from './option-values.js';
import { usageError } from './usage-error.js';

/** More than any writer has threads. */
const PIPES_MAX = 1024;
/** What xbstream has. */
const TIMEOUT_SECONDS = 60;

/**
 * The named pipes to read from instead of stdin; undefined where none are asked for.
 *
 * @throws XbstreamError `XB_USAGE`
 */
export function namedPipes(values: OptionValues): NamedPipesChoice | undefined {
  const count = values.number('fifo-streams') ?? 1;
  // As with xbstream, where the other two options mean nothing then.
  if (count === 1) return undefined;
  if (count > PIPES_MAX) throw usageError(`--fifo-streams takes at most ${PIPES_MAX}, not ${count}`);
  const directory = values.last('fifo-dir');
  if (directory === undefined) {
    throw usageError(
      `--fifo-streams=${count} needs --fifo-dir`,
      'the directory that was given to the writer: xtrabackup --fifo-streams=N --fifo-dir=DIR',
    );
  }
  if (values.has('digest')) {
    throw usageError(
      '--digest and --fifo-streams exclude each other',
      'the order in which parts come through several pipes is never the same twice',
    );
  }
  if (values.has('keep-going')) {
    throw usageError('--keep-going and --fifo-streams exclude each other', 'damage in one pipe ends the run');
  }
  return {
    kind: 'named-pipes',
    directory,
    count,
    timeoutSeconds: values.number('fifo-timeout') ?? TIMEOUT_SECONDS,
    allowEmpty: values.has('allow-empty'),
  };
}
