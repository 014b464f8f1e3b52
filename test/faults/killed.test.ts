/** `kill -9`, and a power cut, come when they come: what has its final name is whole, and the same command goes on. */
import { describe, test } from 'node:test';
import { Dice } from '../helpers/damaged-archives.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { Bench } from './bend.js';
import { SCENARIOS } from './scenarios.js';

const MOMENTS = SOAK ? 300 : SCENARIOS.length;
/** A run takes about so long, in seconds. */
const RUN_SECONDS = 0.6;

describe('killed at any moment', { concurrency: 2 }, () => {
  const each = Math.ceil(MOMENTS / SCENARIOS.length);
  for (const [index, scenario] of sampled([...SCENARIOS.entries()], 8, 3)) {
    test(scenario.name, async (context) => {
      const dice = new Dice(index + 1);
      const bench = new Bench(context, scenario);
      const { length } = await bench.sound();
      for (let count = 0; count < each; count += 1) {
        // Between two calls, or within one.
        const seconds = (dice.below(1000) / 1000) * RUN_SECONDS;
        const killed = { name: `killed after ${seconds} s`, wrapper: ['timeout', '-s', 'KILL', String(seconds)] };
        if (count % 2 === 0) await bench.bend(1 + dice.below(length), 'kill');
        else await bench.endure({ ...killed, mayFail: false, signals: ['SIGKILL'] });
      }
    });
  }
});
