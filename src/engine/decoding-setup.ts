import type { DecryptionKey } from '../codec/codec.js';
import type { Decoding, SlowOutput } from './decoding.js';

/** What is undone. */
export interface DecodingSetup {
  decompress: boolean;
  key?: DecryptionKey | undefined;
}

/** What undoes layers; decoders are loaded only where something is to be decoded. */
export async function setUpDecoding(
  { decompress, key }: DecodingSetup,
  onWarning: (message: string) => void,
  slowOutput?: SlowOutput,
): Promise<Decoding | undefined> {
  if (!decompress && key === undefined) return undefined;
  const { Decoding } = await import('./decoding.js');
  const onUnprovenKey = (): void =>
    onWarning('these files are encrypted in an old format that cannot prove a key: with a wrong one they are garbage');
  const choice = { decompress, decrypt: key !== undefined };
  return new Decoding({ choose: () => choice, key }, onUnprovenKey, slowOutput);
}
