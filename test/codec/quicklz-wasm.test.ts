import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import wabt from 'wabt';
import { QUICKLZ_WASM } from '../../dist/codec/quicklz-wasm.js';

test('the decoder that is shipped is what its source says', async () => {
  const tools = await wabt();
  const module = tools.parseWat('quicklz.wat', readFileSync('src/codec/quicklz.wat', 'utf8'));
  const { buffer } = module.toBinary({});
  assert.equal(QUICKLZ_WASM, Buffer.from(buffer).toString('base64'));
});
