import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { DecodeChain } from '../../dist/codec/decode-chain.js';
import { XbstreamError } from '../../dist/errors.js';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';

const KEY = FIXTURE_KEYS['AES256']!;
const CONTENT = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i) >>> 11));
const FILE = qpressFile(CONTENT);

test('all that was pushed is decoded when the call returns, whatever the pieces', () => {
  const file = xbcryptFile(FILE, KEY);
  const pieces: Buffer[] = [];
  const output = (piece: Buffer) => pieces.push(Buffer.from(piece));
  const chain = new DecodeChain({ layers: ['xbcrypt', 'qpress'], key: KEY, output });
  for (let at = 0; at < file.length; at += 100_000) chain.push(file.subarray(at, at + 100_000));
  assert.equal(chain.isPaused, false);
  assert.ok(Buffer.concat(pieces).equals(CONTENT));
  chain.end();
});

test('a full output stops it after one unit, and it goes on where it was, in any pieces', () => {
  const content = CONTENT.subarray(0, 400_000);
  const file = xbcryptFile(qpressFile(content, 1000), KEY, { chunkBytes: 3000 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 20_000 }), (pieceBytes, fullBytes) => {
      const pieces: Buffer[] = [];
      let waiting = 0;
      const chain = new DecodeChain({
        layers: ['xbcrypt', 'qpress'],
        key: KEY,
        output: (piece) => {
          pieces.push(Buffer.from(piece));
          waiting += piece.length;
        },
        isFull: () => waiting >= fullBytes,
      });
      for (let at = 0; at < file.length; at += pieceBytes) {
        chain.push(file.subarray(at, at + pieceBytes));
        while (chain.isPaused) {
          assert.ok(waiting < fullBytes + 300_000, `${waiting} bytes`);
          waiting = 0;
          chain.resume();
        }
      }
      chain.end();
      assert.ok(Buffer.concat(pieces).equals(content));
    }),
    { numRuns: 60 },
  );
});

test('an error comes up once, and then the chain is closed', () => {
  const damaged = Buffer.from(FILE);
  damaged[FILE.length - 100]! ^= 1;
  let out = 0;
  const chain = new DecodeChain({ layers: ['qpress'], output: () => out++ });
  assert.throws(() => chain.push(damaged), { code: 'XB_BAD_LAYER' });
  const before = out;
  assert.ok(before > 0, 'what came before the damage is there');
  chain.push(FILE);
  chain.resume();
  chain.end();
  assert.equal(out, before);
});

test('what the output throws comes back to the caller', () => {
  const full = new XbstreamError('XB_IO', 'no space left');
  for (const layers of [['qpress'], ['xbcrypt', 'qpress']] as const) {
    const output = (): never => {
      throw full;
    };
    const chain = new DecodeChain({ layers, key: KEY, output });
    const file = layers.length === 1 ? FILE : xbcryptFile(FILE, KEY);
    assert.throws(() => chain.push(file), full);
    chain.end();
  }
  // What it has left behind must not come out of the next file.
  const pieces: Buffer[] = [];
  const next = new DecodeChain({ layers: ['qpress'], output: (piece) => pieces.push(Buffer.from(piece)) });
  next.push(FILE);
  next.end();
  assert.ok(Buffer.concat(pieces).equals(CONTENT));
});

test('a chain that is closed gives no more output', () => {
  let out = 0;
  const chain = new DecodeChain({ layers: ['qpress'], output: () => out++ });
  chain.push(FILE.subarray(0, 100));
  chain.close();
  chain.push(FILE.subarray(100));
  chain.end();
  assert.equal(out, 0);
});
