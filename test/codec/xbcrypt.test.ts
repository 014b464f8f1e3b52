import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { DecodeChain } from '../../dist/codec/decode-chain.js';
import type { DecryptionKey } from '../../dist/codec/codec.js';
import { checkEveryFlippedBit, checkEveryTruncation, outcome } from '../helpers/damage.js';
import { decode, FIXTURE_KEYS } from '../helpers/decode.js';
import { qpressFile, u64, xbcryptFile } from '../helpers/layer-writers.js';

const KEY = FIXTURE_KEYS['AES256']!;
const OTHER_KEY: DecryptionKey = { cipher: 'AES256', bytes: Buffer.alloc(32, 1) };
const NONE: DecryptionKey = { cipher: 'NONE', bytes: Buffer.alloc(0) };
const CONTENT = Buffer.from('forty-two bytes of plain text, or nearly so');
/** Two chunks, the second of which begins here. */
const FILE = xbcryptFile(CONTENT, KEY, { chunkBytes: 30 });
const SECOND_AT = 44 + 16 + 30 + 32;

test('all versions, ciphers and chunk sizes decrypt, in any piece size', () => {
  const content = randomBytes(300_000);
  for (const key of [...Object.values(FIXTURE_KEYS), NONE]) {
    for (const version of [1, 2, 3] as const) {
      for (const chunkBytes of [1024, 65536, 299_999]) {
        const file = xbcryptFile(content, key, { version, chunkBytes });
        for (const pauses of [false, true]) {
          assert.deepEqual(decode(['xbcrypt'], file, { key, pauses, pieceBytes: 50_000 }), content);
          assert.deepEqual(decode(['xbcrypt'], file, { key, pauses }), content);
        }
      }
    }
  }
});

test('openssl enc agrees: ciphers, counter and its carry', async () => {
  const content = randomBytes(100_000);
  for (const [cipher, key] of Object.entries(FIXTURE_KEYS)) {
    for (const iv of ['000102030405060708090a0b0c0d0e0f', 'ffffffffffffffffffffffffffffff00']) {
      const args = ['enc', `-aes-${cipher.slice(3)}-ctr`, '-K', Buffer.from(key.bytes).toString('hex'), '-iv', iv];
      const hash = spawnSync('openssl', ['dgst', '-sha256', '-binary'], { input: content });
      const encrypted = spawnSync('openssl', args, { input: Buffer.concat([content, hash.stdout]) });
      assert.equal(encrypted.status, 0, encrypted.stderr.toString());
      const template = xbcryptFile(content, key, { chunkBytes: content.length });
      const { crc32 } = await import('../../dist/format/crc32.js');
      template.writeUInt32LE(crc32(encrypted.stdout), 32);
      const file = Buffer.concat([template.subarray(0, 44), Buffer.from(iv, 'hex'), encrypted.stdout]);
      assert.deepEqual(decode(['xbcrypt'], file, { key }), content, `${cipher} ${iv}`);
    }
  }
});

test('a file without chunks is empty', () => {
  assert.deepEqual(decode(['xbcrypt'], Buffer.alloc(0), { key: KEY }), Buffer.alloc(0));
});

test('every flipped bit is an error or means nothing', () => {
  // Nobody gives the eight reserved bytes a meaning.
  const isReserved = (byte: number) => byte % SECOND_AT >= 8 && byte % SECOND_AT < 16;
  checkEveryFlippedBit(['xbcrypt'], FILE, CONTENT, { key: KEY, isHarmless: isReserved });
  const v2 = xbcryptFile(CONTENT, KEY, { version: 2, chunkBytes: 64 });
  // Version 2 carries an IV that it does not use.
  checkEveryFlippedBit(['xbcrypt'], v2, CONTENT, {
    key: KEY,
    isHarmless: (byte) => isReserved(byte) || (byte >= 44 && byte < 60),
  });
  const v1 = xbcryptFile(CONTENT, KEY, { version: 1, chunkBytes: 64 });
  checkEveryFlippedBit(['xbcrypt'], v1, CONTENT, { key: KEY, isHarmless: isReserved });
});

test('a file that is cut anywhere but between chunks is truncated', () => {
  checkEveryTruncation(['xbcrypt'], FILE, [0, SECOND_AT], { key: KEY });
  checkEveryTruncation(['xbcrypt'], FILE, [0, SECOND_AT], { key: KEY, pauses: true, pieceBytes: 7 });
});

test('trailing garbage is damage', () => {
  assert.equal(outcome(['xbcrypt'], Buffer.concat([FILE, randomBytes(100)]), { key: KEY }), 'XB_BAD_LAYER');
  assert.equal(outcome(['xbcrypt'], Buffer.concat([FILE, Buffer.alloc(5)]), { key: KEY }), 'XB_LAYER_TRUNCATED');
});

test('a wrong key is told from damage', () => {
  assert.equal(outcome(['xbcrypt'], FILE, { key: OTHER_KEY }), 'XB_WRONG_KEY');
  assert.equal(outcome(['xbcrypt'], FILE, { key: FIXTURE_KEYS['AES128'] }), 'XB_WRONG_KEY');
  const damaged = Buffer.from(FILE);
  damaged[SECOND_AT - 1]! ^= 1;
  for (const key of [KEY, OTHER_KEY]) assert.equal(outcome(['xbcrypt'], damaged, { key }), 'XB_BAD_LAYER');
  // The key has opened the first chunk: it cannot be wrong for the second.
  const secondIv = Buffer.from(FILE);
  secondIv[SECOND_AT + 44]! ^= 1;
  assert.equal(outcome(['xbcrypt'], secondIv, { key: KEY }), 'XB_BAD_LAYER');
});

test('with the cipher NONE an encrypted file needs a key', () => {
  const noIv = Buffer.concat([FILE.subarray(0, 36), u64(0), FILE.subarray(60, SECOND_AT)]);
  assert.equal(outcome(['xbcrypt'], FILE, { key: NONE }), 'XB_KEY_REQUIRED');
  assert.equal(outcome(['xbcrypt'], noIv, { key: NONE }), 'XB_KEY_REQUIRED');
  assert.throws(() => new DecodeChain({ layers: ['xbcrypt'], output: () => undefined }), { code: 'XB_KEY_REQUIRED' });
});

test('plaintext is not taken where a cipher was asked for', () => {
  const plain = xbcryptFile(CONTENT, NONE);
  assert.deepEqual(decode(['xbcrypt'], plain, { key: NONE }), CONTENT);
  assert.equal(outcome(['xbcrypt'], plain, { key: KEY }), 'XB_BAD_LAYER');
});

test('an old version that was encrypted with another key is recognised by the layer inside', () => {
  const compressed = qpressFile(CONTENT);
  for (const version of [1, 2] as const) {
    const file = xbcryptFile(compressed, KEY, { version });
    assert.deepEqual(decode(['xbcrypt', 'qpress'], file, { key: KEY }), CONTENT);
    for (const layer of ['qpress', 'lz4', 'zstd'] as const) {
      assert.equal(outcome(['xbcrypt', layer], file, { key: OTHER_KEY }), 'XB_WRONG_KEY', layer);
    }
    // Cut to less than any magic it is no other.
    const short = xbcryptFile(Buffer.from('qp'), KEY, { version });
    assert.equal(outcome(['xbcrypt', 'qpress'], short, { key: OTHER_KEY }), 'XB_WRONG_KEY');
  }
  const damagedInside = xbcryptFile(compressed.subarray(0, 60), KEY, { version: 1 });
  assert.equal(outcome(['xbcrypt', 'qpress'], damagedInside, { key: KEY }), 'XB_LAYER_TRUNCATED');
  assert.equal(outcome(['xbcrypt', 'qpress'], xbcryptFile(Buffer.alloc(99), KEY), { key: KEY }), 'XB_BAD_LAYER');
});

test('only versions that cannot prove a key say so', () => {
  const cases: [1 | 2 | 3, DecryptionKey, boolean][] = [
    [1, KEY, true],
    [2, KEY, true],
    [3, KEY, false],
    [1, NONE, false],
  ];
  for (const [version, key, expected] of cases) {
    const chain = new DecodeChain({ layers: ['xbcrypt'], key, output: () => undefined });
    assert.equal(chain.isKeyUnproven, false);
    chain.push(xbcryptFile(CONTENT, key, { version }));
    assert.equal(chain.isKeyUnproven, expected, `version ${version}`);
  }
});

test('impossible sizes are damage before anything of that size has come', () => {
  const header = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(FILE.subarray(0, 60));
    change(bytes);
    return bytes;
  };
  const sizes = (size: bigint) =>
    header((bytes) => {
      bytes.writeBigUInt64LE(size, 16);
      bytes.writeBigUInt64LE(size, 24);
    });
  const outcomes: [string, Buffer, string][] = [
    ['less than a hash', sizes(31n), 'XB_BAD_LAYER'],
    ['beyond 31 bits', sizes(2n ** 31n), 'XB_BAD_LAYER'],
    ['all ones', sizes(2n ** 64n - 1n), 'XB_BAD_LAYER'],
    ['more than is supported', sizes(2n ** 26n + 1n), 'XB_UNSUPPORTED_LAYER'],
    ['two sizes', header((bytes) => bytes.writeBigUInt64LE(63n, 16)), 'XB_BAD_LAYER'],
    ['no IV', header((bytes) => bytes.writeBigUInt64LE(0n, 36)), 'XB_BAD_LAYER'],
    ['a huge IV', header((bytes) => bytes.writeBigUInt64LE(2n ** 40n, 36)), 'XB_BAD_LAYER'],
    ['a version of the future', header((bytes) => bytes.write('4', 7)), 'XB_BAD_LAYER'],
  ];
  for (const [what, bytes, code] of outcomes) assert.equal(outcome(['xbcrypt'], bytes, { key: KEY }), code, what);
});

test('nothing of a chunk comes out before its hash holds, however large it is', () => {
  for (const bytes of [1000, 3 << 20]) {
    let out = 0;
    const chain = new DecodeChain({ layers: ['xbcrypt'], key: KEY, output: (piece) => (out += piece.length) });
    const file = xbcryptFile(Buffer.alloc(bytes, 'x'), KEY, { chunkBytes: bytes, hash: Buffer.alloc(32) });
    assert.throws(() => chain.push(file), { code: 'XB_WRONG_KEY' });
    assert.equal(out, 0);
  }
});

test('no error tells anything of the key', () => {
  const secret: DecryptionKey = {
    cipher: 'AES256',
    bytes: Buffer.from('s3cr3t-s3cr3t-s3cr3t-s3cr3t-0123'),
  };
  assert.throws(
    () => decode(['xbcrypt'], FILE, { key: secret }),
    (error: Error & { details: string[] }) => {
      const text = JSON.stringify([error, error.message, error.stack, error.details]);
      assert.ok(!text.includes('s3cr3t') && !text.includes(Buffer.from('s3cr3t').toString('hex')));
      return true;
    },
  );
});
