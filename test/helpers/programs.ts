import { execFileSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';

/**
 * Whether a program that a test needs is there. Where it is missing the test is skipped, and says so, on a developer's own
 * machine; in CI it fails.
 */
export function hasProgram(context: TestContext, program: string, debianPackage: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    const text = `${program} is not installed (Debian: ${debianPackage})`;
    if (process.env['CI'] === 'true') throw new Error(text);
    context.skip(text);
    return false;
  }
}

/** Whether this process may do what only root may; as {@link hasProgram}. */
export function isRoot(context: TestContext): boolean {
  if (process.getuid?.() === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('this test must run as root in CI');
  context.skip('only root can do what this test needs');
  return false;
}

/** Run everything, however long it takes. */
export const SOAK = process.env['TSXBSTREAM_SOAK'] === '1';

/** How much smaller samples are than they could be: where the same tests run once more, on another Node. */
const THINNER = Number(process.env['TSXBSTREAM_THINNER'] ?? 1);

/**
 * Some of what a test could be run with, or all where everything is run.
 *
 * @param every one in so many
 * @param first which; other tests take others
 */
export function sampled<Item>(items: readonly Item[], every: number, first = 0): readonly Item[] {
  if (SOAK) return items;
  const some = items.filter((_, index) => index % (every * THINNER) === first);
  return some.length > 0 ? some : items.slice(0, 1);
}

let turns = 0;

/**
 * Of the ways in which a test could be run, one: the next one at each call. All where everything is run. It is called where the
 * order of calls is always the same: before a test waits for anything, or where tests run one after the other.
 */
export function inTurn<Way>(ways: readonly Way[]): readonly Way[] {
  turns += 1;
  return sampled(ways, ways.length, turns % ways.length);
}

/**
 * For tests of one rule that differ in little: of those that are made with what this gives, one in so many is made, or all where
 * everything is run.
 *
 * @param every one in so many
 * @param first which; as {@link sampled}
 */
export function someOf(
  every: number,
  first = 0,
): (name: string, work: (context: TestContext) => void | Promise<void>) => void {
  let made = 0;
  return (name, work) => {
    const isTaken = SOAK || made % every === first;
    made += 1;
    if (isTaken) void test(name, work);
  };
}
