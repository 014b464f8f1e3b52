/** The picture in README shows what the program shows today. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { describe, test } from 'node:test';
import { picture } from '../../scripts/terminal-picture.js';
import { hasProgram, SOAK } from '../helpers/programs.js';

const README_HAS = fs.readFileSync(new URL('../../docs/terminal.svg', import.meta.url), 'utf8');

/** Its words: without figures, and without where a line is wrapped. */
function wordsOf(svg: string): string {
  const texts = Array.from(svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g), ([, text]) => text!.replaceAll('\u00a0', ' '));
  return texts
    .join('')
    .replace(/(ETA \S+) {2}\d+ files? {2}\S+\.(?:ibd|cnf)/, '$1')
    .replace(/\[=* *\]/, '')
    .replace(/[\d.,]+/g, '#')
    .replace(/[KMG]?iB|\bB\b/g, 'iB')
    .replace(/\s+/g, ' ');
}

describe('the picture of a terminal', () => {
  test('lists an archive, unpacks it with its progress, and finds damage', () => {
    const words = wordsOf(README_HAS);
    for (const part of [
      /SIZE STATE LAYERS NAME/,
      /#% .* iB of # iB .* ETA/,
      /unpacked # files/,
      /XB_BAD_CRC/,
      /NOT whole/,
    ]) {
      assert.match(words, part);
    }
  });

  // It takes two GiB of memory.
  if (SOAK) {
    test('shows what the program shows today', async (context) => {
      if (!hasProgram(context, 'script', 'bsdutils')) return;
      assert.equal(wordsOf(README_HAS), wordsOf(await picture()));
    });
  }
});
