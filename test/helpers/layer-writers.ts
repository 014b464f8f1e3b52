import { createCipheriv, createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import { crc32 } from '../../dist/format/crc32.js';
import type { DecryptionKey } from '../../dist/codec/codec.js';
import { encodeQuickLz } from './quicklz-encoder.js';

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** zlib ends its streams with the Adler-32 of what went in. */
export function adler32OfZlib(bytes: Buffer): number {
  const stored = zlib.deflateSync(bytes, { level: 0 });
  return stored.readUInt32BE(stored.length - 4);
}

export const QPRESS_TRAILER = Buffer.concat([Buffer.from('ENDSENDS'), u64(0)]);

export function qpressHeader(chunkBytes: number | bigint, name = 'f'): Buffer {
  return Buffer.concat([
    Buffer.from('qpress10'),
    u64(chunkBytes),
    Buffer.from('F'),
    u32(name.length),
    Buffer.from(`${name}\0`),
  ]);
}

/** A block of a qpress archive around a QuickLZ block. */
export function qpressBlock(block: Buffer, offset = 0): Buffer {
  return Buffer.concat([Buffer.from('NEWBNEWB'), u64(offset), u32(adler32OfZlib(block)), block]);
}

export function qpressFile(content: Buffer, chunkBytes = 65536): Buffer {
  const parts = [qpressHeader(chunkBytes)];
  for (let at = 0; at < content.length; at += chunkBytes)
    parts.push(qpressBlock(encodeQuickLz(content.subarray(at, at + chunkBytes)), at));
  return Buffer.concat([...parts, QPRESS_TRAILER]);
}

export interface XbcryptWriting {
  version?: 1 | 2 | 3;
  chunkBytes?: number;
  /** What to write for the hash of version 3. */
  hash?: Buffer;
}

/** Encrypts as xtrabackup does (format.md, section 2). */
export function xbcryptFile(
  content: Buffer,
  key: DecryptionKey,
  { version = 3, chunkBytes = 65536, hash }: XbcryptWriting = {},
): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += chunkBytes) {
    const plain = content.subarray(at, at + chunkBytes);
    const iv = key.cipher === 'NONE' ? Buffer.alloc(0) : createHash('md5').update(`${at}`).digest();
    const body = version < 3 ? plain : Buffer.concat([plain, hash ?? createHash('sha256').update(plain).digest()]);
    const counter = version === 3 ? iv : Buffer.alloc(16);
    const encrypted =
      key.cipher === 'NONE' ? body : createCipheriv(`aes-${key.cipher.slice(3)}-ctr`, key.bytes, counter).update(body);
    parts.push(
      Buffer.from(`XBCRYP0${version}`),
      u64(0),
      u64(body.length),
      u64(body.length),
      u32(crc32(encrypted)),
      ...(version > 1 ? [u64(iv.length), iv] : []),
      encrypted,
    );
  }
  return Buffer.concat(parts);
}
