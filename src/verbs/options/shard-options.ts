/** What can be said of a verification that is divided into shards. */
import type { OptionValues } from './option-values.js';
import { usageError } from './usage-error.js';

const NEEDS_ALL = 'it needs all of the archive in one place: leave it out, or verify in one piece';
const JUDGES = 'give it to --merge, which judges';
const NO_THREADS = 'a shard is checked by one thread: with more shards than machines, each machine can check several';
const NO_FILE = 'it writes no file: leave it out';

/** What has no meaning beside --shard, and why. */
const BESIDE_SHARD: Readonly<Record<string, string>> = {
  ...{ tee: NEEDS_ALL, info: NEEDS_ALL },
  merge: 'first check all shards, then merge their results',
  ...{ digest: NEEDS_ALL, manifest: NEEDS_ALL },
  ...{ backup: JUDGES, 'allow-empty': JUDGES, 'allow-encrypted': JUDGES },
  format: 'the result is printed as JSON lines in any case',
  json: 'the result is printed as JSON lines in any case',
  ...{ parallel: NO_THREADS, 'decompress-threads': NO_THREADS, 'encrypt-threads': NO_THREADS },
  overwrite: NO_FILE,
};

const LITTLE = 'there is little to do: leave it out';
const SAID = 'give it to --shard: the results say it';

const BESIDE_MERGE: Readonly<Record<string, string>> = {
  ...{ tee: NEEDS_ALL, index: NEEDS_ALL, info: NEEDS_ALL },
  ...{ digest: NEEDS_ALL, manifest: NEEDS_ALL },
  ...{ deep: SAID, 'encrypt-key': SAID, 'encrypt-key-file': SAID, decrypt: SAID },
  ...{ 'absolute-names': SAID, parts: SAID },
  ...{ parallel: LITTLE, 'decompress-threads': LITTLE, 'encrypt-threads': LITTLE },
  overwrite: NO_FILE,
};

/** @throws XbstreamError `XB_USAGE` for what excludes each other */
export function assertFitShards(values: OptionValues): void {
  assertAlone(values, 'shard', BESIDE_SHARD);
  assertAlone(values, 'merge', BESIDE_MERGE);
  if (values.has('shard') && values.has('index') && !values.has('deep')) {
    throw usageError(
      '--index and --shard exclude each other',
      'with --deep files are found by it; without, all is read as it lies',
    );
  }
  if (values.has('merge') && values.has('timeout') && !values.has('archive')) {
    throw usageError(
      '--timeout is of use with --merge only beside --archive',
      'without it nothing is waited for: leave it out',
    );
  }
  if (!values.has('archive') || values.has('merge')) return;
  throw usageError('--archive is of use only with --merge', 'without --merge the archive is a word of its own');
}

function assertAlone(values: OptionValues, name: string, beside: Readonly<Record<string, string>>): void {
  const other = values.has(name) ? Object.keys(beside).find((each) => values.has(each)) : undefined;
  if (other !== undefined) throw usageError(`--${other} and --${name} exclude each other`, beside[other]!);
}
