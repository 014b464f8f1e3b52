import { type StoredPath } from '../format/stored-path.js';
import { XbstreamError } from '../errors.js';
import type { DecryptionKey } from './codec.js';
import { DecodeChain } from './decode-chain.js';
import { layersOf } from './stored-layers.js';

/**
 * The content of a small file, with all undone that was done to it.
 *
 * @param name a stored path: its suffixes say what was done
 * @param stored all of it, as it is stored
 * @param mostBytes most that it may be when it is decoded
 * @throws XbstreamError what a codec throws, `XB_KEY_REQUIRED`, `XB_UNSUPPORTED_LAYER` when it is larger
 */
export function smallContent(
  name: StoredPath,
  stored: Buffer,
  key: DecryptionKey | undefined,
  mostBytes: number,
): Buffer {
  const { layers } = layersOf(name, { decrypt: true, decompress: true });
  if (layers.length === 0 || stored.length === 0) return stored;
  const pieces: Buffer[] = [];
  let bytes = 0;
  const chain = new DecodeChain({
    layers,
    key,
    output: (piece) => {
      bytes += piece.length;
      if (bytes > mostBytes) throw new XbstreamError('XB_UNSUPPORTED_LAYER', 'it is larger than such a file can be');
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
