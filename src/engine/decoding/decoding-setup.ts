/** Sets decoding up for a run, and says how many threads it may use. */
import type { DecryptionKey } from '../../codec/codec.js';
import { availableCores, threadCount } from '../../threads/cores.js';
import type { Decoding, SlowOutput } from './decoding.js';

/** How many threads may be used, as far as somebody has said so. */
export interface ThreadLimits {
  decompress: boolean;
  key?: DecryptionKey | undefined;
  decompressThreads?: number | undefined;
  decryptThreads?: number | undefined;
  parallel?: number | undefined;
}

/** What is undone, and with how many threads at most. */
export type DecodingSetup = ThreadLimits & { slowOutput?: SlowOutput | undefined };

/**
 * How many threads may undo layers. The same ones decrypt and decompress, so that the smallest limit holds for all; and more
 * than there are cores are never any good where nobody asks for them.
 */
export function decodingThreads(
  { parallel, decompress, decompressThreads, key, decryptThreads }: ThreadLimits,
  cores = availableCores(),
): number {
  const limits = [decompress ? decompressThreads : undefined, key === undefined ? undefined : decryptThreads];
  const given = limits.filter((limit) => limit !== undefined);
  return threadCount(given.length > 0 ? Math.min(...given) : parallel, cores);
}

/**
 * What undoes layers; decoders are loaded only where something is to be decoded.
 *
 * @param mayHelp threads of their own may decode
 */
export async function setUpDecoding(
  setup: DecodingSetup,
  onWarning: (message: string) => void,
  mayHelp: boolean,
): Promise<Decoding | undefined> {
  const { decompress, key, slowOutput } = setup;
  if (!decompress && key === undefined) return undefined;
  const { Decoding } = await import('./decoding.js');
  const threads = decodingThreads(setup);
  const { DecodeHelpers } = await import('./decode-helpers.js');
  const choice = { decompress, decrypt: key !== undefined };
  return new Decoding(
    { choose: () => choice, key },
    {
      slowOutput,
      // This one reads, checks and writes meanwhile.
      startHelpers: mayHelp && threads > 1 ? () => new DecodeHelpers(threads - 1) : undefined,
      onUnprovenKey: () =>
        onWarning(
          'these files are encrypted in an old format that cannot prove a key: with a wrong one they are garbage',
        ),
    },
  );
}
