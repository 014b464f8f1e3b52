/**
 * Asks a MariaDB server how it writes letters in the names of files, and writes src/format/letter-pairs.ts. Run by hand:
 * node --import tsx test/helpers/write-letter-pairs.ts
 */
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodedLetters } from './encoded-letters.js';
import { Mariadb } from './mariadb.js';

const MOST_IN_A_LINE = 38;

const directory = fs.mkdtempSync('/dev/shm/letters-');
const server = new Mariadb(directory);
server.install();
await server.start();
try {
  const letters = encodedLetters(server);
  const pairs = [...letters].filter(([, encoded]) => /^@[^@]{2}$|^@@.$|^@.@$/.test(encoded));
  const runs: { first: number; pairs: string[] }[] = [];
  for (const [codePoint, encoded] of pairs) {
    const run = runs.at(-1);
    if (run === undefined || codePoint !== run.first + run.pairs.length || run.pairs.length === MOST_IN_A_LINE) {
      runs.push({ first: codePoint, pairs: [encoded.slice(1)] });
    } else {
      run.pairs.push(encoded.slice(1));
    }
  }
  const lines = runs.map(({ first, pairs }) => `  [0x${first.toString(16).padStart(4, '0')}, '${pairs.join('')}'],`);
  const text = `/** Written by test/helpers/write-letter-pairs.ts, which has asked a MariaDB server. */

/**
 * The letters that MySQL and MariaDB write as \`@\` and a pair in the names of files: pairs of consecutive letters, one after
 * the other, each run with the code point that it begins with.
 */
export const LETTER_PAIRS: readonly (readonly [first: number, pairs: string])[] = [
${lines.join('\n')}
];
`;
  fs.writeFileSync(fileURLToPath(new URL('../../src/format/letter-pairs.ts', import.meta.url)), text);
} finally {
  await server.stop();
  fs.rmSync(directory, { recursive: true });
}
