/** Undoes a wrapper in a thread of its own: bytes go there in one ring, and come back in another. */
import type { Worker } from 'node:worker_threads';
import type { LayerName } from '../codec/codec.js';
import { StreamFailure, type ErrorRecord } from '../errors.js';
import type { StreamKey } from '../input/open-source.js';
import { makeRing, RingWriter, type RingHandle } from '../input/stream/ring.js';
import { RingSource } from '../input/stream/ring-source.js';
import type { ByteSink, Source } from '../input/source.js';
import { newThread } from '../threads/new-thread.js';
import type { Stage } from './stage.js';
import { WrapperError } from './wrapper-error.js';

/** What the thread is started with. */
export interface UnwrapThreadData {
  layer: LayerName;
  key: StreamKey | undefined;
  encoded: RingHandle;
  decoded: RingHandle;
}

export class ThreadStage implements Stage {
  readonly source: Source;
  readonly #encoded: RingWriter;
  readonly #worker: Worker;
  #isOver = false;

  constructor(layer: LayerName, key: StreamKey | undefined, isStopped: () => boolean) {
    const encoded = makeRing();
    const decoded = makeRing();
    const workerData: UnwrapThreadData = { layer, key, encoded: encoded.reader, decoded: decoded.writer };
    this.#worker = newThread(new URL('./unwrap-thread.js', import.meta.url), {
      workerData,
      transferList: [encoded.reader.port, decoded.writer.port],
    });
    this.#encoded = new RingWriter(encoded.writer);
    this.source = new ThreadStageSource(this.#worker, new RingSource(decoded.reader, isStopped));
  }

  take(piece: Buffer): Promise<void> | undefined {
    const taken = this.#encoded.write(piece);
    return taken === piece.length ? undefined : this.#takeRest(piece.subarray(taken));
  }

  async #takeRest(piece: Buffer): Promise<void> {
    for (let left = piece; left.length > 0 && !this.#isOver;) {
      await this.#encoded.room();
      left = left.subarray(this.#encoded.write(left));
    }
  }

  end(failed: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#encoded.end(failed);
    this.#encoded.wake();
  }

  close(): void {
    this.end(true);
    this.#encoded.close();
    this.source.close();
    void this.#worker.terminate();
  }
}

/** What comes out of the thread, and what it fails with. */
class ThreadStageSource implements Source {
  readonly seekable = false;
  readonly #ring: RingSource;
  /** What it has said of the data. */
  readonly #failed: Promise<WrapperError>;
  /** It has ended without an end of its data. */
  readonly #gone: Promise<never>;

  constructor(worker: Worker, ring: RingSource) {
    this.#ring = ring;
    this.#failed = new Promise((resolve) => {
      worker.on('message', (error: ErrorRecord) => resolve(WrapperError.from(error)));
    });
    this.#gone = new Promise((_, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => {
        if (!ring.hasEnded) reject(new Error('the thread that decodes the archive has ended'));
      });
    });
    // It is told to end where nobody waits any more.
    this.#gone.catch(() => undefined);
  }

  async run(sink: ByteSink): Promise<void> {
    try {
      await Promise.race([this.#ring.run(sink), this.#gone]);
    } catch (error) {
      throw error instanceof StreamFailure ? await Promise.race([this.#failed, this.#gone]) : error;
    }
  }

  stop(): void {
    this.#ring.stop();
  }

  close(): void {
    this.#ring.close();
  }
}
