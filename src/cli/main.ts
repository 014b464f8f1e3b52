/**
 * Where the program starts. Only what `--version` needs is loaded here: scripts ask for it, and Node's own start is all the
 * time it may take.
 */
import { writeSync } from 'node:fs';
import type { InputChoice } from '../input/open-source.js';
import type { Substitute, Surroundings } from './run.js';
import { versionLine } from './version.js';

/**
 * Runs the program.
 *
 * @param surroundings `process`, or what stands for it in a test; its streams are touched only when something is written
 * @param substitute does something else than the work behind the verbs, for tests
 * @returns the exit code; after a signal the process dies of it instead
 */
export async function main(surroundings: Surroundings, substitute?: Substitute): Promise<number> {
  const words = surroundings.argv.slice(2);
  if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) return showVersion(surroundings.argv);
  if (substitute === undefined) await startThreadEarly(surroundings.argv);
  const { run } = await import('./run.js');
  return run(surroundings, substitute);
}

/** Only a guess, which must be quick; that a thread is started in vain, or is not, makes no difference but in time. */
async function startThreadEarly([, , ...words]: readonly string[]): Promise<void> {
  const [first = ''] = words;
  const unpacks = first.startsWith('-') && words.some((word) => /^(-\w*x|--ex)/.test(word));
  if (!unpacks && first !== 'extract' && first !== 'verify') return;
  const { isSmall, startEarly } = await import('../verbs/threads/start.js');
  // A small archive is verified in this thread, but where it is decoded.
  const inputs: InputChoice[] = [
    { kind: 'descriptor', fd: 0 },
    ...words.map((path) => ({ kind: 'path', path }) as const),
  ];
  if (first === 'verify' && !words.includes('--deep') && inputs.some(isSmall)) return;
  startEarly('unpack');
}

function showVersion(argv: readonly string[]): number {
  try {
    // Not through process.stdout: setting it up takes as long as all the rest.
    writeSync(1, versionLine(argv));
    return 0;
  } catch {
    // Nobody there to read it.
    return 1;
  }
}
