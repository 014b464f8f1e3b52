import type { DecodeJob, DecryptionKey, JobOutput, JobRunner, LayerName } from '../../dist/codec/codec.js';
import { DecodeBudget } from '../../dist/codec/decode-budget.js';
import { DecodeChain } from '../../dist/codec/decode-chain.js';
import { runJob } from '../../dist/codec/run-job.js';

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
  /** Put pieces where the chain has room for them, as far as it has: every third comes as it is, nevertheless. */
  inRoom?: boolean;
  run?: JobRunner | undefined;
  budget?: DecodeBudget | undefined;
}

/** Undoes layers with a {@link DecodeChain}, waiting where it asks for it. Pieces are overwritten after each push. */
export async function decode(
  layers: readonly LayerName[],
  bytes: Buffer,
  options: DecodeOptions = {},
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let pushes = 0;
  const { key, run, budget } = options;
  const chain = new DecodeChain({ layers, key, run, budget, output: (piece) => pieces.push(Buffer.from(piece)) });
  const pieceBytes = options.pieceBytes ?? Math.max(bytes.length, 1);
  const lent = Buffer.alloc(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const end = Math.min(at + pieceBytes, bytes.length);
    for (let from = at; from < end;) {
      const room = options.inRoom && ++pushes % 3 > 0 ? chain.room(end - from) : undefined;
      const piece = lent.subarray(0, bytes.copy(room ?? lent, 0, from, end));
      from += piece.length;
      chain.push(room?.subarray(0, piece.length) ?? piece);
      piece.fill(0xdb);
      await chain.ready();
    }
  }
  await chain.end();
  return Buffer.concat(pieces);
}

/**
 * Does jobs as other threads would: later, those of odd number last, and with their memory gone from here. (zstd is not
 * sent to other threads.)
 */
export function laterRunner(): JobRunner {
  let number = 0;
  return async (job: DecodeJob): Promise<JobOutput> => {
    const transfer = job.layer === 'zstd' ? [] : [job.bytes.buffer as ArrayBuffer];
    const copy = structuredClone(job, { transfer });
    const turns = number++ % 2 === 1 ? 6 : 1;
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    const pieces: Buffer[] = [];
    const later = runJob(copy, (piece) => pieces.push(Buffer.from(piece)));
    return later ? await later : { pieces };
  };
}
