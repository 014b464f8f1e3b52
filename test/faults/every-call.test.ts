/**
 * Each call to the system and each message between threads, one by one: it fails, comes short, lasts, or is the last that its
 * thread, or the program, does. What has its final name is whole, and the next run goes on. In CI a sample of them.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { describe, test } from 'node:test';
import { Dice } from '../helpers/damaged-archives.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { Bench, waysOf, type Kind, type Way } from './bend.js';
import { SCENARIOS } from './scenarios.js';

/** So many bends of a scenario are a sample, as in CI; `each` is one of every call, for who has not the time for all ways of it. */
const SAMPLE = process.env['TSXBSTREAM_BENT_SAMPLE'] ?? '1';
/** Runs at a time; who is made to wait needs no processor. */
const AT_A_TIME = 2;
const WAITING = 12;
/** With these letters, separated by commas, only some of all ways are gone. */
const WAYS = process.env['TSXBSTREAM_BENT_WAYS']?.split(',');
const SEED = Number(process.env['TSXBSTREAM_BENT_SEED'] ?? 1);

interface Bend {
  number: number;
  way: Way;
}

function bendsOf(calls: readonly Kind[]): Bend[] {
  const all = calls.flatMap((kind, index) => waysOf(kind).map((way) => ({ number: index + 1, way })));
  return WAYS === undefined ? all : all.filter(({ way }) => WAYS.includes(way));
}

function sampleOf(bends: readonly Bend[], dice: Dice): Bend[] {
  if (SAMPLE !== 'each') return Array.from({ length: Number(SAMPLE) }, () => dice.pick(bends));
  const numbers = [...new Set(bends.map(({ number }) => number))];
  return numbers.map((number) => dice.pick(bends.filter((bend) => bend.number === number)));
}

/** Does something with each, so many at a time. @returns how often that came to something */
async function forAll<Item>(
  items: readonly Item[],
  atATime: number,
  work: (item: Item) => Promise<boolean>,
): Promise<number> {
  let next = 0;
  let done = 0;
  const take = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) if (await work(item)) done += 1;
  };
  await Promise.all(Array.from({ length: atATime }, take));
  return done;
}

describe('every call', () => {
  for (const [index, scenario] of sampled([...SCENARIOS.entries()], SAMPLE === '1' ? 3 : 1)) {
    test(scenario.name, async (context) => {
      const bench = new Bench(context, scenario);
      const calls = await bench.sound();
      const bends = SOAK ? bendsOf(calls) : sampleOf(bendsOf(calls), new Dice(SEED + index));
      const failures: string[] = [];
      const bend = async ({ number, way }: Bend): Promise<boolean> => {
        try {
          return (await bench.bend(number, way)) !== undefined;
        } catch (error) {
          if (!(error instanceof assert.AssertionError)) throw error;
          failures.push(error.message);
          return true;
        }
      };
      const waits = ({ way }: Bend): boolean => way === 'stall' || way === 'stop';
      const [busy, waiting] = await Promise.all([
        forAll(
          bends.filter((each) => !waits(each)),
          AT_A_TIME,
          bend,
        ),
        forAll(bends.filter(waits), WAITING, bend),
      ]);
      context.diagnostic(`${scenario.name}: ${busy + waiting} of ${calls.length} calls bent, one way or the other`);
      assert.deepEqual(failures, [], `${failures.length} of ${busy + waiting}`);
    });
  }
});

test('no call to the file system is left out: tests can bend each that src makes', () => {
  const root = new URL('../../src/', import.meta.url);
  const bent = fs.readFileSync(new URL('./bent-calls.js', import.meta.url), 'utf8');
  const called = new Set<string>();
  for (const name of fs.readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    // Manual pages are made as the program is built.
    if (!name.endsWith('.ts') || name.endsWith('man-pages.ts')) continue;
    const source = fs.readFileSync(new URL(name, root), 'utf8');
    for (const [, call] of source.matchAll(/\bfs\.(\w+)(?:\.native)?\(/g)) called.add(call!);
    for (const [, names] of source.matchAll(/^import \{([^}]*)\} from 'node:fs'/gm)) {
      for (const each of names!.split(',')) if (each.trim() !== 'constants') called.add(each.trim());
    }
  }
  assert.ok(called.size > 20, `${called.size}`);
  const left = [...called].filter((call) => !bent.includes(`'${call}'`));
  assert.deepEqual(left, []);
});
