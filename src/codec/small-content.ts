/** Decodes small files of an archive in memory, within a limit for all of them. */
import { type StoredPath } from '../format/stored-path.js';
import { XbstreamError } from '../errors.js';
import type { DecryptionKey } from './codec.js';
import { DecodeChain } from './decode-chain.js';
import { layersOf } from './stored-layers.js';

/** Most that all small files of an archive may be together when they are decoded: each may be made of few bytes. */
const MAX_ALL_DECODED_BYTES = 64 * 1024 * 1024;

/** What the small files of an archive may still be when they are decoded. */
export class DecodedBudget {
  #leftBytes = MAX_ALL_DECODED_BYTES;

  get isSpent(): boolean {
    return this.#leftBytes < 0;
  }

  spend(bytes: number): void {
    this.#leftBytes -= bytes;
  }
}

/** What a small file may be when it is decoded. */
export interface SmallContentLimits {
  /** Most bytes of such a file. */
  mostBytes: number;
  /** Of all of them. */
  budget: DecodedBudget;
}

/**
 * The content of a small file, with all undone that was done to it.
 *
 * @param name a stored path: its suffixes say what was done
 * @param stored all of it, as it is stored
 * @throws XbstreamError what a codec throws, `XB_KEY_REQUIRED`, `XB_UNSUPPORTED_LAYER` when it is larger
 */
export function smallContent(
  name: StoredPath,
  stored: Buffer,
  key: DecryptionKey | undefined,
  { mostBytes, budget }: SmallContentLimits,
): Buffer {
  const { layers } = layersOf(name, { decrypt: true, decompress: true });
  if (layers.length === 0 || stored.length === 0) return stored;
  if (budget.isSpent) throw new XbstreamError('XB_UNSUPPORTED_LAYER', 'there are too many such files in the archive');
  const pieces: Buffer[] = [];
  let bytes = 0;
  const chain = new DecodeChain({
    layers,
    key,
    output: (piece) => {
      bytes += piece.length;
      budget.spend(piece.length);
      if (bytes > mostBytes || budget.isSpent)
        throw new XbstreamError('XB_UNSUPPORTED_LAYER', 'it is larger than such a file can be');
      pieces.push(Buffer.from(piece));
    },
  });
  try {
    chain.push(stored);
    chain.end();
  } finally {
    chain.close();
  }
  return Buffer.concat(pieces);
}
