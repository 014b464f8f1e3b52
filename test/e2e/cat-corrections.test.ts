/** `cat` of archives whose files get other names while they come by. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file, remove, rename } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { EXIT } from '../helpers/outcome.js';
import { tempDir } from '../helpers/temp.js';

const TABLE = qpressFile(Buffer.from('TABLE'));

const CASES: readonly { title: string; bytes: Buffer; patterns: readonly string[]; content: string; told: RegExp }[] = [
  {
    title: 'a file whose new name was asked for before others does not come behind them',
    bytes: archive(file('old', 'first'), file('z', 'last'), rename('old', 'new')),
    patterns: ['new', '*'],
    content: 'firstlast',
    told: /new had another name when its content came/,
  },
  {
    title: 'a file whose new name was asked for behind others does not come before them',
    bytes: archive(file('a', 'last'), file('b', 'first'), rename('a', 'z')),
    patterns: ['[ab]', 'z'],
    content: 'firstlast',
    told: /z had another name when its content came/,
  },
  {
    title: 'a file is not given as it is stored where the one is gone whose name it could not have',
    bytes: archive(file('t', 'before'), file('t.qp', TABLE), remove('t'), file('a', 'A')),
    patterns: ['a', 't', '*'],
    content: 'ATABLE',
    told: /t\.qp was written as t\.qp, and t was asked for/,
  },
];

describe('cat of renamed and removed files', { concurrency: true }, () => {
  for (const { title, bytes, patterns, content, told } of CASES) {
    test(title, async (context) => {
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const { code, stdout } = await run(['cat', path, ...patterns]);
      assert.deepEqual([code, stdout], [EXIT.ok, content]);
      const piped = await run(['cat', '-', ...patterns], { stdin: { kind: 'pipe', bytes } });
      assert.equal(piped.code, EXIT.undecodable);
      assert.match(piped.stderr, told);
    });
  }

  test('from a pipe, too, a file comes where its old name and its new one have the same place', async () => {
    const bytes = archive(file('a', 'A'), rename('a', 'b'), file('c', 'C'));
    const { code, stdout } = await run(['cat', '-', '[ab]', 'c'], { stdin: { kind: 'pipe', bytes } });
    assert.deepEqual([code, stdout], [EXIT.ok, 'AC']);
  });
});
