/** What lies at an address, piece by piece, on a caller's event loop. */
import { XbstreamError } from '../../errors.js';
import { isOfObjects, shownAddress, type Address } from '../../input/address/address.js';
import type { Flow } from '../../input/address/http/exchange.js';
import { SILENT_SECONDS } from '../../input/address/open-address.js';
import type { FoundObject } from '../../input/address/fetch-protocol.js';
import { RangeClient } from '../../input/address/range-client.js';
import { waitMs } from '../../input/timed-source.js';

/** How much is asked for at a time; one such range is fetched while the one before is read. */
const RANGE_BYTES = 4 * 1024 * 1024;
/** Of what comes as a whole so much waits at most, and a piece. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/**
 * The bytes of an archive from the first to the last.
 *
 * @param silentSeconds so long the server may be silent
 * @throws XbstreamError (from the iteration) `XB_IO`, `XB_CHANGED`, `XB_USAGE`
 */
export function addressPieces(address: Address, silentSeconds: number | undefined): AsyncIterable<Uint8Array> {
  const ending = new AbortController();
  const pieces = piecesOf(address, waitMs(silentSeconds ?? SILENT_SECONDS), ending.signal);
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => pieces.next(),
      // One that waits for its next piece ends with that, at once.
      return: async () => {
        ending.abort();
        await Promise.allSettled([pieces.return()]);
        return { done: true, value: undefined };
      },
    }),
  };
}

async function* piecesOf(address: Address, timeoutMs: number, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  if (isOfObjects(address)) {
    throw new XbstreamError(
      'XB_USAGE',
      `${shownAddress(address)} is a backup in objects, which is not read in this way`,
      {
        hints: ['list(), verify(), extract() and cat() read it'],
      },
    );
  }
  const client = await RangeClient.to(address, { timeoutMs });
  try {
    const opened = new OpenedObject(client, signal);
    yield* opened.pieces();
    const { sizeBytes = 0, hasRanges } = opened.object;
    if (!hasRanges) return;
    let range = readRange(client, opened.comeBytes, sizeBytes, signal);
    for (let at = opened.comeBytes; at < sizeBytes;) {
      const piece = await range;
      at += piece.length;
      range = readRange(client, at, sizeBytes, signal);
      // A reader that goes away does not hear how it ends.
      range.catch(() => undefined);
      yield piece;
    }
  } finally {
    client.close();
  }
}

async function readRange(client: RangeClient, start: number, sizeBytes: number, signal: AbortSignal): Promise<Buffer> {
  const end = Math.min(sizeBytes, start + RANGE_BYTES);
  const pieces: Buffer[] = [];
  if (start < end) await client.read(start, end, { take: (bytes) => pieces.push(Buffer.from(bytes)) }, signal);
  return Buffer.concat(pieces);
}

/** What comes with the answer to the first question: the beginning, or all of it. */
class OpenedObject {
  object: FoundObject = { sizeBytes: 0, hasRanges: true };
  comeBytes = 0;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #flow: Flow | undefined;
  #ended: { error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(client: RangeClient, signal: AbortSignal) {
    client
      .open(
        {
          found: (object, flow) => {
            this.object = object;
            this.#flow = flow;
          },
          take: (bytes) => this.#take(bytes),
        },
        signal,
      )
      .then(
        () => (this.#ended = {}),
        (error: unknown) => (this.#ended = { error }),
      )
      .finally(() => this.#wake?.());
  }

  async *pieces(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece !== undefined) {
        this.#waitingBytes -= piece.length;
        if (this.#waitingBytes <= WAITING_BYTES_MAX) this.#flow?.resume();
        yield piece;
      } else if (this.#ended === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if ('error' in this.#ended) throw this.#ended.error;
      else return;
    }
  }

  #take(bytes: Buffer): void {
    this.#waiting.push(Buffer.from(bytes));
    this.#waitingBytes += bytes.length;
    this.comeBytes += bytes.length;
    if (!this.object.hasRanges && this.#waitingBytes > WAITING_BYTES_MAX) this.#flow?.pause();
    this.#wake?.();
  }
}
