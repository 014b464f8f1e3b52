/** The thread that fetches what lies at an address, for another that waits for it in calls. */
import { errorToRecord, XbstreamError } from '../../errors.js';
import { connectHelper } from '../../threads/helper-side.js';
import type { Flow } from './exchange.js';
import {
  FETCHED_PIECE_BYTES,
  WHOLE,
  WHOLE_BYTES_MAX,
  type FetchAnswer,
  type FetchData,
  type FetchTask,
} from './fetch-protocol.js';
import { RangeClient } from './range-client.js';

type Answer = (answer: FetchAnswer, moved?: readonly ArrayBuffer[]) => void;

/** Fetches what it is told, until the thread is ended. */
export async function serveFetches(): Promise<void> {
  const { data, answer, onTask } = connectHelper<FetchData, FetchTask, FetchAnswer>();
  try {
    const client = await RangeClient.to(data.address, { timeoutMs: data.timeoutMs });
    const fetching = new Fetching(client, answer);
    onTask((task) => fetching.take(task));
    await fetching.open();
  } catch (error) {
    fail(error, answer);
  }
}

function fail(error: unknown, answer: Answer): void {
  // Anything else ends the thread, and whoever waits for it is told by that.
  if (!(error instanceof XbstreamError)) throw error;
  answer({ kind: 'failed', error: errorToRecord(error) });
}

class Fetching {
  readonly #client: RangeClient;
  readonly #answer: Answer;
  readonly #spare: ArrayBuffer[] = [];
  readonly #underWay = new Map<number, AbortController>();
  /** Of what comes as a whole. */
  #whole: { flow: Flow; sentBytes: number; takenBytes: number } | undefined;

  constructor(client: RangeClient, answer: Answer) {
    this.#client = client;
    this.#answer = answer;
  }

  /** Finds out what is there, and gives its beginning, or all of it. */
  async open(): Promise<void> {
    const pieces = new Pieces(WHOLE, Infinity, this.#spare, this.#answer);
    await this.#client.open({
      found: (object, flow) => {
        if (!object.hasRanges) this.#whole = { flow, sentBytes: 0, takenBytes: 0 };
        this.#answer({ kind: 'found', object });
      },
      take: (bytes) => {
        pieces.take(bytes);
        if (this.#whole === undefined) return;
        // What comes slowly is not kept until there is more.
        pieces.flush();
        this.#whole.sentBytes += bytes.length;
        this.#holdUp();
      },
    });
    pieces.flush();
    if (this.#whole !== undefined) this.#answer({ kind: 'end' });
  }

  take(task: FetchTask): void {
    switch (task.kind) {
      case 'fetch':
        this.#spare.push(...task.memory);
        void this.#fetch(task).catch((error: unknown) => fail(error, this.#answer));
        break;
      case 'drop':
        this.#underWay.get(task.id)?.abort();
        break;
      case 'taken':
        if (this.#whole === undefined) break;
        this.#whole.takenBytes = task.bytes;
        this.#holdUp();
        break;
    }
  }

  async #fetch({ id, start, end }: FetchTask & { kind: 'fetch' }): Promise<void> {
    const dropping = new AbortController();
    const { signal } = dropping;
    this.#underWay.set(id, dropping);
    const pieces = new Pieces(id, end - start, this.#spare, this.#answer);
    try {
      await this.#client.read(start, end, (bytes) => pieces.take(bytes), signal);
      pieces.flush();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#underWay.delete(id);
    }
  }

  #holdUp(): void {
    const { flow, sentBytes, takenBytes } = this.#whole!;
    if (sentBytes - takenBytes > WHOLE_BYTES_MAX) flow.pause();
    else flow.resume();
  }
}

/** Collects bytes into pieces that are worth a message. */
class Pieces {
  readonly #id: number;
  readonly #spare: ArrayBuffer[];
  readonly #answer: Answer;
  #leftBytes: number;
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #used = 0;

  /** @param bytes how many are to come */
  constructor(id: number, bytes: number, spare: ArrayBuffer[], answer: Answer) {
    this.#id = id;
    this.#leftBytes = bytes;
    this.#spare = spare;
    this.#answer = answer;
  }

  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      this.#memory ??= this.#room(bytes.length - at);
      const count = Math.min(bytes.length - at, this.#memory.length - this.#used);
      this.#memory.set(bytes.subarray(at, at + count), this.#used);
      this.#used += count;
      at += count;
      if (this.#used === this.#memory.length) this.flush();
    }
  }

  #room(bytes: number): Uint8Array<ArrayBuffer> {
    // Of what has no known end the pieces go on as they come.
    const wanted = Math.min(FETCHED_PIECE_BYTES, this.#leftBytes === Infinity ? bytes : this.#leftBytes);
    if (wanted === FETCHED_PIECE_BYTES) return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(wanted));
    return new Uint8Array(wanted);
  }

  /** Gives what there is. */
  flush(): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    const bytes = memory.subarray(0, this.#used);
    this.#leftBytes -= this.#used;
    this.#memory = undefined;
    this.#used = 0;
    this.#answer({ kind: 'bytes', id: this.#id, bytes }, [bytes.buffer]);
  }
}
