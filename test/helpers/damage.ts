import assert from 'node:assert/strict';
import { XbstreamError } from '../../dist/errors.js';
import type { LayerName } from '../../dist/codec/codec.js';
import { decode, type DecodeOptions } from './decode.js';

const DAMAGE = ['XB_BAD_LAYER', 'XB_LAYER_TRUNCATED', 'XB_UNSUPPORTED_LAYER', 'XB_WRONG_KEY'];

/** What became of an attempt to decode: content, or the code of the error. Errors of another class are not caught. */
export function outcome(layers: readonly LayerName[], bytes: Buffer, options: DecodeOptions = {}): Buffer | string {
  try {
    return decode(layers, bytes, options);
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    return error.code;
  }
}

export interface DamageOptions extends DecodeOptions {
  /** Whether the format gives this bit no meaning for the content, or lets no checksum cover it. */
  isHarmless: (byte: number, bit: number) => boolean;
}

/**
 * Flips every bit of `bytes`, one at a time. Each must be an error, but for the harmless ones, with which the content
 * must come out as it was.
 */
export function checkEveryFlippedBit(
  layers: readonly LayerName[],
  bytes: Buffer,
  content: Buffer,
  options: DamageOptions,
): void {
  assert.deepEqual(decode(layers, bytes, options), content);
  for (let byte = 0; byte < bytes.length; byte++) {
    for (let bit = 0; bit < 8; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[byte]! ^= 1 << bit;
      const found = outcome(layers, damaged, options);
      const place = `byte ${byte} bit ${bit}`;
      if (typeof found === 'string')
        assert.ok(DAMAGE.includes(found) && !options.isHarmless(byte, bit), `${place}: ${found}`);
      else assert.ok(options.isHarmless(byte, bit) && found.equals(content), `${place}: no error`);
    }
  }
}

/** Cuts `bytes` at every length: `XB_LAYER_TRUNCATED`, but where the format has an end. */
export function checkEveryTruncation(
  layers: readonly LayerName[],
  bytes: Buffer,
  ends: readonly number[],
  options: DecodeOptions = {},
): void {
  for (let length = 0; length < bytes.length; length++) {
    const found = outcome(layers, bytes.subarray(0, length), options);
    if (ends.includes(length)) assert.ok(typeof found !== 'string', `${length} bytes: ${String(found)}`);
    else assert.equal(found, 'XB_LAYER_TRUNCATED', `${length} bytes`);
  }
}
