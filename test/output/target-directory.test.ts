import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { TargetDirectory } from '../../dist/output/directory/target-directory.js';
import { tempDir } from '../helpers/temp.js';

test('a target that cannot be written to the disk is named by the error', (context) => {
  const path = tempDir(context);
  const target = new TargetDirectory(path, { create: false, allowSymlinks: false });
  context.after(() => target.pool.suspendAll());
  target.place(rawPath('a'), true).directory.changed = true;
  const { mock } = context.mock.method(fs, 'fsyncSync', () => {
    throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  });
  syncBuiltinESMExports();
  try {
    assert.throws(() => target.sync(), {
      message: `cannot write the directory ${path} to the disk: no space left on the device (ENOSPC)`,
    });
  } finally {
    mock.restore();
    syncBuiltinESMExports();
  }
});
