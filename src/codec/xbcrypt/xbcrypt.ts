/** Decrypts a file, chunk by chunk (format.md, section 2). */
import type { KeyObject } from 'node:crypto';
import { crc32, hex32 } from '../../format/crc32.js';
import { layerError, type DecoderContext, type DecryptionKey, type OutputSink } from '../codec.js';
import { freeNativeMemory } from '../native-memory.js';
import { UnitDecoder, type Found } from '../unit-decoder.js';

const MAGIC = Buffer.from('XBCRYP0', 'latin1');
const ORIGINAL_SIZE_AT = 16;
const ENCRYPTED_SIZE_AT = 24;
const CRC_AT = 32;
const IV_LENGTH_AT = 36;
/** Version 1 ends its header here. */
const HEADER_BYTES_V1 = 36;
const IV_AT = 44;
const IV_BYTES = 16;
const HASH_BYTES = 32;

/** Larger sizes are invalid in the format. */
const CHUNK_BYTES_INVALID = 2 ** 31 - 1;
/** Larger chunks are not held in memory. */
const CHUNK_BYTES_MAX = 64 << 20;
const SLICE_BYTES = 256 << 10;
const ZERO_COUNTER = Buffer.alloc(IV_BYTES);

type Version = 1 | 2 | 3;

function versionAt(bytes: Uint8Array, at: number): Version | undefined {
  const digit = bytes[at + 7]! - 0x30;
  return digit === 1 || digit === 2 || digit === 3 ? digit : undefined;
}

export class XbcryptDecoder extends UnitDecoder {
  readonly layer = 'xbcrypt';
  isKeyUnproven = false;
  readonly #key: DecryptionKey;
  readonly #cipher: ChunkCipher;
  #version: Version | undefined;

  constructor(key: DecryptionKey, context: DecoderContext) {
    super(context);
    this.#key = key;
    this.#cipher = new ChunkCipher(key);
  }

  protected measure(window: Buffer, at: number): Found {
    const available = window.length - at;
    this.unitNeedsBytes = HEADER_BYTES_V1;
    if (available < HEADER_BYTES_V1) return 'more';
    const layerOffset = this.windowOffset + at;
    const version = versionAt(window, at);
    if (version === undefined || window.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) !== 0) {
      throw layerError(
        'XB_BAD_LAYER',
        this.recognised
          ? 'no encrypted chunk where one should begin'
          : 'the file is not encrypted in the xbcrypt format',
        this.layer,
        layerOffset,
        `expected XBCRYP01, XBCRYP02 or XBCRYP03, found ${window.toString('hex', at, at + 8)} (hex)`,
      );
    }
    this.#version ??= version;
    this.recognised = true;
    if (version !== this.#version) {
      throw this.#damage(
        layerOffset,
        'the version of the encryption changes inside the file',
        `expected ${this.#version}, found ${version}`,
      );
    }
    if (version < 3 && this.#key.cipher !== 'NONE') this.isKeyUnproven = true;
    const bodyBytes = this.#bodyBytes(window, at, layerOffset, version);
    let headerBytes = HEADER_BYTES_V1;
    if (version > 1) {
      this.unitNeedsBytes = IV_AT;
      if (available < IV_AT) return 'more';
      const ivBytes = window.readBigUInt64LE(at + IV_LENGTH_AT);
      if (ivBytes !== BigInt(IV_BYTES) && (ivBytes !== 0n || this.#key.cipher !== 'NONE')) {
        throw this.#damage(
          layerOffset,
          'an encrypted chunk has no valid IV',
          `expected an IV of ${IV_BYTES} bytes, found ${ivBytes.toString()}`,
        );
      }
      headerBytes = IV_AT + Number(ivBytes);
    }
    this.unitBytes = headerBytes + bodyBytes;
    this.unitNeedsBytes = this.unitBytes;
    return available < this.unitBytes ? 'more' : 'unit';
  }

  #bodyBytes(window: Buffer, at: number, layerOffset: number, version: Version): number {
    const original = window.readBigUInt64LE(at + ORIGINAL_SIZE_AT);
    const encrypted = window.readBigUInt64LE(at + ENCRYPTED_SIZE_AT);
    const sizes = `original size ${original.toString()}, encrypted size ${encrypted.toString()}`;
    if (original !== encrypted || original > CHUNK_BYTES_INVALID || (version === 3 && original < HASH_BYTES)) {
      throw this.#damage(layerOffset, 'an encrypted chunk has impossible sizes', sizes);
    }
    if (original > CHUNK_BYTES_MAX) {
      throw layerError(
        'XB_UNSUPPORTED_LAYER',
        `an encrypted chunk is larger than the ${CHUNK_BYTES_MAX >> 20} MiB that are supported`,
        this.layer,
        layerOffset,
        sizes,
      );
    }
    return Number(original);
  }

  #damage(layerOffset: number, message: string, ...found: string[]) {
    return layerError('XB_BAD_LAYER', message, this.layer, layerOffset, ...found);
  }

  protected decode(chunk: Buffer, layerOffset: number): void {
    const version = this.#version!;
    const bodyAt = version === 1 ? HEADER_BYTES_V1 : IV_AT + chunk[IV_LENGTH_AT]!;
    const body = chunk.subarray(bodyAt);
    const expected = chunk.readUInt32LE(CRC_AT);
    const found = crc32(body);
    if (found !== expected) {
      const sums = `expected crc32 ${hex32(expected)}, found ${hex32(found)}`;
      throw this.#damage(layerOffset, 'checksum mismatch in an encrypted chunk', sums);
    }
    const iv = chunk.subarray(version === 1 ? bodyAt : IV_AT, bodyAt);
    const { output } = this.context;
    if (version === 3) {
      if (!this.#cipher.decryptProven(body, iv, output)) throw wrongHash(this.#key, layerOffset);
      return;
    }
    // One flipped bit makes a version 2 of a version 3, whose output would be garbage.
    const mayBeVersion3 = version === 2 && layerOffset === 0 && body.length >= HASH_BYTES;
    if (mayBeVersion3 && this.#cipher.decryptProven(body, iv, () => undefined)) {
      throw this.#damage(layerOffset, 'an encrypted chunk of version 3 is marked as version 2');
    }
    this.#cipher.decrypt(body, ZERO_COUNTER, output);
  }

  protected finish(rest: Buffer): void {
    if (rest.length === 0) return;
    throw layerError(
      'XB_LAYER_TRUNCATED',
      'the encrypted data ends inside a chunk',
      this.layer,
      this.windowOffset,
      `the chunk needs at least ${this.unitNeedsBytes} bytes, ${rest.length} are there`,
    );
  }
}

/** The ciphertext is as it was written. So the key is wrong, unless it has opened the chunks before this one. */
function wrongHash(key: DecryptionKey, layerOffset: number) {
  if (key.cipher === 'NONE') {
    return layerError(
      'XB_KEY_REQUIRED',
      'the file is encrypted, but decrypting was asked for with the cipher NONE',
      'xbcrypt',
      layerOffset,
    );
  }
  if (layerOffset === 0) {
    return layerError(
      'XB_WRONG_KEY',
      'the key or the cipher is not the one the file was encrypted with',
      'xbcrypt',
      layerOffset,
      `tried ${key.cipher}`,
    );
  }
  return layerError(
    'XB_BAD_LAYER',
    'an encrypted chunk does not decrypt to what its hash says',
    'xbcrypt',
    layerOffset,
    'the chunks before it did, with the same key',
  );
}

/** Not before something is decrypted: to load it takes longer than to unpack a small file. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

class ChunkCipher {
  readonly #algorithm: string | undefined;
  readonly #key: KeyObject | undefined;

  constructor({ cipher, bytes }: DecryptionKey) {
    if (cipher === 'NONE') return;
    this.#algorithm = `aes-${cipher.slice(3)}-ctr`;
    this.#key = crypto().createSecretKey(bytes);
  }

  /** Decrypts in slices, so that a large chunk is not in memory twice. */
  decrypt(body: Buffer, counter: Buffer, sink: OutputSink): void {
    if (this.#algorithm === undefined || this.#key === undefined) {
      sink(body);
      return;
    }
    const decipher = crypto().createDecipheriv(this.#algorithm, this.#key, counter);
    for (let at = 0; at < body.length; at += SLICE_BYTES) {
      const plain = decipher.update(body.subarray(at, at + SLICE_BYTES));
      sink(plain);
      // Then the next one lies in the same memory, which is in the CPU's caches.
      freeNativeMemory(plain);
    }
  }

  /**
   * Decrypts a chunk that ends in the hash of its content.
   *
   * @returns false, with nothing given to `sink`, when content and hash do not agree
   */
  decryptProven(body: Buffer, iv: Buffer, sink: OutputSink): boolean {
    const contentBytes = body.length - HASH_BYTES;
    if (body.length <= SLICE_BYTES) {
      let proven = false;
      this.decrypt(body, iv, (plain) => {
        const content = plain.subarray(0, contentBytes);
        proven = crypto().hash('sha256', content, 'buffer').equals(plain.subarray(contentBytes));
        if (proven) sink(content);
      });
      return proven;
    }
    // Twice: nothing may leave here before it is proven, and a wrong key would look like damage to the next layer.
    const digest = crypto().createHash('sha256');
    const stored: Buffer[] = [];
    this.decrypt(
      body,
      iv,
      contentSlices(
        contentBytes,
        (slice) => digest.update(slice),
        (slice) => stored.push(Buffer.from(slice)),
      ),
    );
    if (!digest.digest().equals(Buffer.concat(stored))) return false;
    this.decrypt(
      body,
      iv,
      contentSlices(contentBytes, sink, () => undefined),
    );
    return true;
  }
}

/** Cuts decrypted slices into content and the hash behind it. */
function contentSlices(contentBytes: number, onContent: OutputSink, onHash: OutputSink): OutputSink {
  let left = contentBytes;
  return (slice) => {
    const content = slice.subarray(0, left);
    left -= content.length;
    if (content.length > 0) onContent(content);
    if (content.length < slice.length) onHash(slice.subarray(content.length));
  };
}
