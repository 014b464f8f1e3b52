import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { assertOwn } from '../../dist/input/parts/objects.js';
import { file } from '../helpers/archive-bytes.js';

test('the file that an object belongs to is found also where each read gives a byte', () => {
  const bytes = file('db/t.ibd', 'x');
  const open = () => ({
    endBytes: bytes.length,
    read: (memory: Buffer, at: number, _bytes: number, position: number | null) =>
      bytes.copy(memory, at, position!, position! + 1),
    close: () => undefined,
  });
  const key = rawPath('backup/db/t.ibd.00000000000000000000');
  assert.throws(() => assertOwn([{ key, bytes: bytes.length, open }], '/objects'), /but \/objects\/backup may be one/);
});
