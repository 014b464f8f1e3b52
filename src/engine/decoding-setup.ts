import * as os from 'node:os';
import type { DecryptionKey } from '../codec/codec.js';
import type { DecodePool } from './decode-pool.js';
import type { Decoding } from './decoding.js';

const DECODING_THREADS_MAX = 4;

/** What is undone, and with how many threads at most. */
export interface DecodingSetup {
  decompress: boolean;
  key?: DecryptionKey | undefined;
  decompressThreads?: number | undefined;
  decryptThreads?: number | undefined;
  parallel?: number | undefined;
}

/**
 * How many threads may undo layers. The same ones decrypt and decompress, so that the smallest limit holds for all; and more
 * than there are cores are never any good.
 */
export function decodingThreads(
  { parallel, decompress, decompressThreads, key, decryptThreads }: DecodingSetup,
  cores: number,
): number {
  const limits = [decompress ? decompressThreads : undefined, key === undefined ? undefined : decryptThreads];
  const given = limits.filter((limit) => limit !== undefined);
  const most = given.length > 0 ? Math.min(...given) : (parallel ?? DECODING_THREADS_MAX);
  return Math.max(1, Math.min(most, cores, DECODING_THREADS_MAX));
}

/** One thread decodes while this one reads and writes; where there may be more, this one is one of them. */
async function makePool(threads: number): Promise<DecodePool> {
  const { DecodePool } = await import('./decode-pool.js');
  return new DecodePool(Math.max(1, threads - 1), threads > 1);
}

/** What undoes layers, and the threads that help; decoders are loaded only where something is to be decoded. */
export async function setUpDecoding(
  setup: DecodingSetup,
  onWarning: (message: string) => void,
): Promise<{ decoding: Decoding | undefined; pool: DecodePool | undefined }> {
  const { decompress, key } = setup;
  if (!decompress && key === undefined) return { decoding: undefined, pool: undefined };
  const cores = os.availableParallelism();
  const { Decoding } = await import('./decoding.js');
  const pool = cores < 2 ? undefined : await makePool(decodingThreads(setup, cores));
  const onUnprovenKey = (): void =>
    onWarning('these files are encrypted in an old format that cannot prove a key: with a wrong one they are garbage');
  const choice = { decompress, decrypt: key !== undefined };
  return { decoding: new Decoding({ choose: () => choice, key }, { pool, onUnprovenKey }), pool };
}
