/** gzip around an archive: members, their headers, what is behind them, and what is wrong with them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { GzipDecoder } from '../../dist/codec/gzip.js';
import { XbstreamError } from '../../dist/errors.js';
import { noise, u32 } from '../helpers/archive-bytes.js';
import { hasProgram } from '../helpers/programs.js';

function decode(bytes: Buffer, pieceBytes = bytes.length): Buffer {
  const parts: Buffer[] = [];
  const decoder = new GzipDecoder({ output: (piece) => parts.push(Buffer.from(piece)), isFull: () => false });
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) decoder.push(bytes.subarray(at, at + pieceBytes));
    decoder.end();
  } finally {
    decoder.close();
  }
  return Buffer.concat(parts);
}

function codeOf(bytes: Buffer): string {
  try {
    decode(bytes);
    return 'none';
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    return error.code;
  }
}

interface Fields {
  extra?: Buffer;
  name?: string;
  comment?: string;
  hasHeaderCrc?: boolean;
}

/** A member with all that a header may have. */
function member(content: Buffer, { extra, name, comment, hasHeaderCrc = false }: Fields = {}): Buffer {
  const flags =
    (hasHeaderCrc ? 2 : 0) |
    (extra === undefined ? 0 : 4) |
    (name === undefined ? 0 : 8) |
    (comment === undefined ? 0 : 16);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(extra?.length ?? 0);
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3]),
    ...(extra === undefined ? [] : [length, extra]),
    ...[name, comment].flatMap((text) => (text === undefined ? [] : [Buffer.from(`${text}\0`)])),
  ]);
  const headerCrc = Buffer.alloc(2);
  headerCrc.writeUInt16LE(crc32(header) & 0xffff);
  return Buffer.concat([
    header,
    ...(hasHeaderCrc ? [headerCrc] : []),
    deflateRawSync(content),
    u32(crc32(content)),
    u32(content.length),
  ]);
}

const content = Buffer.concat([noise(700), Buffer.alloc(2000, 'text '), noise(30)]);
const full = member(content, { extra: noise(300), name: 'x.xbstream', comment: 'a word', hasHeaderCrc: true });

describe('gzip', { concurrency: true }, () => {
  test('in pieces of any size, with all that a header may have', () => {
    const many = Buffer.concat([full, member(Buffer.alloc(0)), member(content, { name: '' }), gzipSync(content)]);
    const expected = Buffer.concat([content, content, content]);
    for (const pieceBytes of [1, 2, 7, 1000, many.length]) assert.deepEqual(decode(many, pieceBytes), expected);
  });

  test('large content, more than is put out at a time', () => {
    const large = Buffer.concat([noise(1_000_000), Buffer.alloc(3_000_000)]);
    assert.ok(decode(gzipSync(large), 65_536).equals(large));
  });

  test('cut anywhere: told as such, with the place', () => {
    const two = Buffer.concat([full, gzipSync(content)]);
    for (let bytes = 1; bytes < two.length; bytes += 1) {
      // Between two members nothing is missed.
      if (bytes === full.length) continue;
      const cut = two.subarray(0, bytes);
      assert.throws(
        () => decode(cut),
        ({ code, details }: XbstreamError) =>
          code === 'XB_LAYER_TRUNCATED' && details[0] === `at byte ${bytes} of the gzip data`,
      );
    }
  });

  test('a flipped bit is seen, wherever content hangs on it', () => {
    for (const source of [full, member(content)]) {
      for (let bit = 0; bit < source.length * 8; bit += 1) {
        const flipped = Buffer.from(source);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        let decoded: Buffer | undefined;
        try {
          decoded = decode(flipped);
        } catch (error) {
          assert.ok(error instanceof XbstreamError, String(error));
        }
        if (decoded === undefined) continue;
        assert.deepEqual(decoded, content);
        // That it is text, time, compression level and system mean nothing to anybody here.
        assert.ok(source !== full && bit >= 24 && (bit === 24 || bit >> 3 >= 4) && bit >> 3 < 10, `bit ${bit}`);
      }
    }
  });

  test('what stands behind the last member is a problem, also zeros', () => {
    for (const rest of ['garbage', '\0', '\x1f', '\x1f\x8b', '\x1f\x8c', '\x1f\x8b\x07']) {
      assert.match(codeOf(Buffer.concat([full, Buffer.from(rest, 'latin1')])), /XB_BAD_LAYER|XB_LAYER_TRUNCATED/);
    }
    assert.throws(
      () => decode(Buffer.concat([full, Buffer.from('garbage')])),
      ({ message, details }: XbstreamError) =>
        message === 'there is something else behind the end of the gzip data' &&
        details[0] === `at byte ${full.length} of the gzip data`,
    );
  });

  test('wrong sums, a feature that is not known', () => {
    const plain = member(content);
    const damaged = (at: number): Buffer => {
      const copy = Buffer.from(plain);
      copy[at]! ^= 0xff;
      return copy;
    };
    assert.throws(() => decode(damaged(plain.length - 8)), /checksum mismatch in the content/);
    assert.throws(() => decode(damaged(plain.length - 4)), /does not hold as much as it says/);
    assert.equal(codeOf(damaged(3)), 'XB_UNSUPPORTED_LAYER');
  });

  test('what gzip itself writes', (context) => {
    if (!hasProgram(context, 'gzip', 'gzip')) return;
    for (const level of ['-1', '-9']) {
      assert.deepEqual(decode(execFileSync('gzip', ['-c', level], { input: content })), content);
    }
  });
});
