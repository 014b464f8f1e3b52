import type { DecryptionKey, LayerName } from '../../dist/codec/codec.js';
import { DecodeChain } from '../../dist/codec/decode-chain.js';

/** The keys that the archives under test/fixtures/percona were made with. */
export const FIXTURE_KEYS: Readonly<Record<string, DecryptionKey>> = {
  AES128: { cipher: 'AES128', bytes: Buffer.from('0123456789abcdef') },
  AES192: { cipher: 'AES192', bytes: Buffer.from('0123456789abcdef01234567') },
  AES256: { cipher: 'AES256', bytes: Buffer.from('0123456789abcdef0123456789ABCDEF') },
};

export interface DecodeOptions {
  key?: DecryptionKey | undefined;
  /** Size of the pieces; the whole at once when missing. */
  pieceBytes?: number | undefined;
  /** The output says now and then that it is full. */
  pauses?: boolean;
}

/** Undoes layers with a {@link DecodeChain}, going on after each pause. Pieces are overwritten after each push. */
export function decode(layers: readonly LayerName[], bytes: Buffer, options: DecodeOptions = {}): Buffer {
  const pieces: Buffer[] = [];
  const { key, pauses = false } = options;
  let asked = 0;
  const chain = new DecodeChain({
    layers,
    key,
    output: (piece) => pieces.push(Buffer.from(piece)),
    isFull: () => pauses && ++asked % 3 > 0,
  });
  const pieceBytes = options.pieceBytes ?? Math.max(bytes.length, 1);
  const lent = Buffer.alloc(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = lent.subarray(0, bytes.copy(lent, 0, at, at + pieceBytes));
    chain.push(piece);
    piece.fill(0xdb);
    // A chain takes more while it pauses, too.
    if (pauses && (at / pieceBytes) % 2 === 0) continue;
    while (chain.isPaused) chain.resume();
  }
  while (chain.isPaused) chain.resume();
  chain.end();
  return Buffer.concat(pieces);
}
