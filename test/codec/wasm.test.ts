import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import wabt from 'wabt';
import { LZ4_WASM } from '../../dist/codec/lz4/lz4-wasm.js';
import { QUICKLZ_WASM } from '../../dist/codec/qpress/quicklz-wasm.js';

for (const [source, shipped] of [
  ['lz4/lz4.wat', LZ4_WASM],
  ['qpress/quicklz.wat', QUICKLZ_WASM],
] as const) {
  test(`what is shipped of ${source} is what it says`, async () => {
    const tools = await wabt();
    const { buffer } = tools.parseWat(source, readFileSync(`src/codec/${source}`, 'utf8')).toBinary({});
    assert.equal(shipped, Buffer.from(buffer).toString('base64'));
  });
}
