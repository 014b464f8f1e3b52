/** Without room for WebAssembly the same comes out, and the same is found wrong. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { lz4InScript, type Lz4Functions } from '../../dist/codec/lz4/lz4-script.js';
import { LZ4_WASM } from '../../dist/codec/lz4/lz4-wasm.js';
import { quickLzInScript, type QuickLzFunctions } from '../../dist/codec/qpress/quicklz-script.js';
import { QUICKLZ_WASM } from '../../dist/codec/qpress/quicklz-wasm.js';
import { WasmKernel } from '../../dist/codec/wasm-kernel.js';
import { encodeQuickLz } from '../helpers/quicklz-encoder.js';

const { compressSync } = createRequire(import.meta.url)('lz4-napi') as { compressSync: (data: Buffer) => Buffer };

const MEMORY_BYTES = 1 << 19;
/** Where the block is put: behind the table of QuickLZ. */
const BLOCK_AT = 16384;
const SLACK_BYTES = 64;

/** Repeats itself near and far. */
const content = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 40 })), { maxLength: 40 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))));

/** Bytes that are changed, each by its place (as a part of the whole) and what it becomes. */
const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), { maxLength: 3 });

function damaged(block: Buffer, changes: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(block);
  if (copy.length > 0) for (const [place, byte] of changes) copy[Math.floor(place * copy.length)] = byte;
  return copy;
}

test('LZ4 blocks, whole and damaged, with and without what was before them', () => {
  const wasm = new WasmKernel<Lz4Functions>(LZ4_WASM, lz4InScript);
  wasm.reserve(MEMORY_BYTES);
  const memory = Buffer.alloc(MEMORY_BYTES);
  const script = lz4InScript(() => memory);
  fc.assert(
    fc.property(content, damage, fc.nat(300), (plain, changes, historyBytes) => {
      const block = damaged(compressSync(plain).subarray(4), changes);
      const base = BLOCK_AT + block.length + SLACK_BYTES;
      const target = base + historyBytes;
      const places = [BLOCK_AT, BLOCK_AT + block.length, target, target + plain.length, base] as const;
      for (const bytes of [memory, wasm.memory]) {
        bytes.fill(7, base, target);
        block.copy(bytes, BLOCK_AT);
      }
      const found = script.decode(...places);
      assert.equal(found, wasm.functions.decode(...places));
      const output = memory.subarray(target, target + Math.max(0, found));
      assert.ok(output.equals(wasm.memory.subarray(target, target + Math.max(0, found))));
      if (changes.length === 0) assert.ok(output.equals(plain));
      const end = BLOCK_AT + block.length - (block.length % 16);
      for (const bytes of [memory, wasm.memory]) bytes.fill(9, 0, 16);
      script.stripes(0, BLOCK_AT, end);
      wasm.functions.stripes(0, BLOCK_AT, end);
      assert.ok(memory.subarray(0, 16).equals(wasm.memory.subarray(0, 16)), 'XXH32');
    }),
    { numRuns: 1500 },
  );
});

test('QuickLZ blocks, whole and damaged', () => {
  const wasm = new WasmKernel<QuickLzFunctions>(QUICKLZ_WASM, quickLzInScript);
  wasm.reserve(MEMORY_BYTES);
  const memory = Buffer.alloc(MEMORY_BYTES);
  const script = quickLzInScript(() => memory);
  let base = 1;
  fc.assert(
    fc.property(content, damage, (plain, changes) => {
      if (plain.length === 0) return;
      const block = encodeQuickLz(plain);
      const headerBytes = (block[0]! & 2) === 0 ? 3 : 9;
      const body = damaged(block.subarray(headerBytes), changes);
      const bodyEnd = BLOCK_AT + body.length;
      const target = bodyEnd + SLACK_BYTES;
      for (const bytes of [memory, wasm.memory]) body.copy(bytes, BLOCK_AT);
      assert.equal(script.adler32(BLOCK_AT, bodyEnd), wasm.functions.adler32(BLOCK_AT, bodyEnd) >>> 0);
      if ((block[0]! & 1) === 0) return;
      const found = script.decode(BLOCK_AT, bodyEnd, target, plain.length, base);
      assert.equal(found, wasm.functions.decode(BLOCK_AT, bodyEnd, target, plain.length, base));
      base += plain.length;
      const output = memory.subarray(target, target + plain.length);
      if (found === 0) assert.ok(output.equals(wasm.memory.subarray(target, target + plain.length)));
      if (changes.length === 0) assert.ok(output.equals(plain));
    }),
    { numRuns: 1500 },
  );
});
