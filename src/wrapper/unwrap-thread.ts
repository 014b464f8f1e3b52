/** The thread that undoes one of the layers an archive is wrapped in as a whole. */
import { parentPort, workerData } from 'node:worker_threads';
import { DecodeChain } from '../codec/decode-chain.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import { RingWriter } from '../input/stream/ring.js';
import { RingSource } from '../input/stream/ring-source.js';
import { takeAll } from '../input/source.js';
import type { UnwrapThreadData } from './thread-stage.js';

const { layer, key, encoded, decoded } = workerData as UnwrapThreadData;

/** How often, in milliseconds, a wait for room looks by itself. */
const LOOK_MS = 1000;

const sink = new RingWriter(decoded);
const source = new RingSource(encoded, () => false);

/** Waits where the ring is full: a few bytes that decode to gigabytes take time, and no memory. */
function put(piece: Buffer): void {
  for (let at = 0; at < piece.length;) {
    const taken = sink.write(piece.subarray(at));
    at += taken;
    // Whoever does not want the rest ends this thread.
    if (taken === 0) sink.block(LOOK_MS);
  }
}

async function unwrap(): Promise<void> {
  try {
    const chain = new DecodeChain({ layers: [layer], key, output: put });
    await source.run(
      takeAll((piece) => {
        chain.push(piece);
        return undefined;
      }),
    );
    chain.end();
    sink.end(false);
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    parentPort!.postMessage(errorToRecord(error));
    sink.end(true);
  } finally {
    source.close();
    sink.close();
  }
}

void unwrap();
