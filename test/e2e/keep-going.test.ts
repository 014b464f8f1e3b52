/** `extract --keep-going` saves every file that is whole, and names what is lost. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { EXIT } from '../helpers/outcome.js';
import { tempDir } from '../helpers/temp.js';
import { tenDamages } from '../helpers/ten-damages.js';
import { readTree, treeOf } from '../helpers/tree.js';

describe('extract --keep-going', { concurrency: true }, () => {
  for (const kind of ['file', 'pipe'] as const) {
    test(`gives every undamaged file its final name, from a ${kind}`, async (context) => {
      const { bytes, damages, good } = tenDamages();
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const target = tempDir(context);
      const words = ['extract', '--keep-going', '--json', kind === 'file' ? path : '-', '-C', target];
      const { code, stdout } = await run(words, kind === 'pipe' ? { stdin: { kind, bytes } } : {});
      assert.equal(code, EXIT.damaged);
      const tree = Object.entries(readTree(target)).filter(([name]) => !name.includes('/.'));
      assert.deepEqual(Object.fromEntries(tree), treeOf(good));
      const lost = linesOf(stdout, 'lost').map(({ path: name }) => name);
      assert.deepEqual(lost.sort(), damages.map(({ path: name }) => name).sort());
    });
  }

  test('a list of what was lost', async (context) => {
    const bytes = archive(file('a', 'A'), payload('b', 0, 'B'), file('c', 'C'));
    const words = ['extract', '--keep-going', '-', '-C', tempDir(context)];
    const { code, stdout, stderr } = await run(words, { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.incomplete);
    assert.match(stdout, /lost 1 file; 2 files \(2 B\) are whole\. Lost:\n {2}b\n/);
    assert.match(stderr, /b is complete/);
  });

  test('damage inside of compressed files costs these files', async (context) => {
    const bytes = archive(
      file('bad1.lz4', noise(3000)),
      file('bad2.zst', noise(3000)),
      file('a', 'A'),
      file('e.qp', 'x'),
    );
    const target = tempDir(context);
    const words = ['extract', '--keep-going', '--decompress', '--remove-partial', '-', '-C', target];
    const { code } = await run(words, { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.damaged);
    assert.deepEqual(readTree(target), treeOf({ a: 'A' }));
  });

  test('a whole archive is unpacked as ever; a target that exists still ends it', async (context) => {
    const target = tempDir(context);
    const bytes = archive(file('a', 'A'), end('e'));
    const words = ['extract', '-q', '--keep-going', '-', '-C', target];
    assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'A', e: '' }));
    assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, EXIT.refused);
  });
});
