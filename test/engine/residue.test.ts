/** What is unfinished is named, all of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaveResidue } from '../../dist/engine/residue.js';
import { archive, end, payload, remove } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { EXIT } from '../helpers/outcome.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf } from '../helpers/tree.js';

test('of nothing nothing is left', () => {
  assert.deepEqual(leaveResidue([], [], 0, false), { errors: [], partials: [] });
});

test('two partial files of one name', async (context) => {
  const bad = (content: string): Buffer => archive(payload('a', 0, content, { crc: 1 }), end('a'));
  const target = tempDir(context);
  const stdin = { kind: 'pipe', bytes: archive(bad('one'), remove('a'), bad('two')) } as const;
  const result = await run(['extract', '--keep-going', '-', '-C', target], { stdin });
  assert.equal(result.code, EXIT.damaged);
  const names = Object.keys(readTree(target)).sort();
  assert.deepEqual(Object.values(readTree(target)).sort(), Object.values(treeOf({ a: 'one', b: 'two' })).sort());
  for (const name of names) assert.ok(result.stderr.includes(name), result.stderr);
});
