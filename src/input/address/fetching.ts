/** The thread that fetches what lies at an address, for another that waits for it in calls. */
import { errorToRecord, XbstreamError } from '../../errors.js';
import { connectHelper } from '../../threads/helper-side.js';
import { FetchNews, WHOLE_BYTES_MAX, type FetchAnswer, type FetchData, type FetchTask } from './fetch-protocol.js';
import type { Body, Flow } from './http/exchange.js';
import { isOfObjects, type Address } from './address.js';
import { RangeClient, type AddressClient } from './range-client.js';
import { RangeMemory } from './range-memory.js';

/** The latency is the least of so many responses. */
const RESPONSES_MEASURED = 32;

/** Says that of a range so many bytes are there. */
type TellCome = (range: number, come: number) => void;
type Answer = (answer: FetchAnswer, moved?: readonly ArrayBuffer[]) => void;

/** Fetches what it is told, until the thread is ended. */
export async function serveFetches(): Promise<void> {
  const { data, answer: post, onTask } = connectHelper<FetchData, FetchTask, FetchAnswer>();
  const news = new Int32Array(data.news);
  const tellNews = (): void => {
    Atomics.add(news, FetchNews.COUNT, 1);
    Atomics.notify(news, FetchNews.COUNT);
  };
  // A reader that begins to wait for other bytes meanwhile sees that the number has changed, and looks again.
  const tellCome: TellCome = (range, come) => {
    Atomics.add(news, FetchNews.COUNT, 1);
    const isWanted = Atomics.load(news, FetchNews.WANTED_RANGE) === range;
    if (isWanted && come >= Atomics.load(news, FetchNews.WANTED_BYTES)) Atomics.notify(news, FetchNews.COUNT);
  };
  const answer: Answer = (said, moved) => {
    post(said, moved);
    tellNews();
  };
  try {
    const client = await clientTo(data.address, data.timeoutMs);
    const latency = new Latency(news);
    const fetching = new Fetching(client, answer, tellCome, latency);
    onTask((task) => fetching.take(task));
    await fetching.open(new RangeMemory(data.head).body(tellNews));
  } catch (error) {
    fail(error, answer);
  }
}

async function clientTo(address: Address, timeoutMs: number): Promise<AddressClient> {
  if (!isOfObjects(address)) return RangeClient.to(address, { timeoutMs });
  const { ObjectsClient } = await import('./s3/objects-client.js');
  return ObjectsClient.to(address, { timeoutMs });
}

function fail(error: unknown, answer: Answer): void {
  // Anything else ends the thread, and whoever waits for it is told by that.
  if (!(error instanceof XbstreamError)) throw error;
  answer({ kind: 'failed', error: errorToRecord(error) });
}

class Fetching {
  readonly #client: AddressClient;
  readonly #answer: Answer;
  readonly #tellCome: TellCome;
  readonly #latency: Latency;
  readonly #underWay = new Map<number, AbortController>();
  /** Of what comes as a whole. */
  #whole: { flow: Flow; sentBytes: number; takenBytes: number } | undefined;

  constructor(client: AddressClient, answer: Answer, tellCome: TellCome, latency: Latency) {
    this.#client = client;
    this.#answer = answer;
    this.#tellCome = tellCome;
    this.#latency = latency;
  }

  /** Finds out what is there, and gives its beginning, or all of it. */
  async open(head: Body): Promise<void> {
    await this.#client.open({
      found: (object, flow) => {
        if (!object.hasRanges) this.#whole = { flow, sentBytes: 0, takenBytes: 0 };
        this.#answer({ kind: 'found', object });
      },
      take: (bytes) => {
        if (this.#whole === undefined) head.take(bytes);
        else this.#pass(bytes);
      },
    });
    if (this.#whole !== undefined) this.#answer({ kind: 'end' });
  }

  /** Takes what it is told. */
  take(task: FetchTask): void {
    switch (task.kind) {
      case 'fetch':
        this.#fetch(task).catch((error: unknown) => fail(error, this.#answer));
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

  async #fetch({ id, start, end, memory }: FetchTask & { kind: 'fetch' }): Promise<void> {
    const dropping = new AbortController();
    const { signal } = dropping;
    this.#underWay.set(id, dropping);
    try {
      const body = new RangeMemory(memory).body((come) => this.#tellCome(id, come));
      await this.#client.read(start, end, this.#latency.measured(body), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#underWay.delete(id);
    }
  }

  /** Passes on what comes as a whole. */
  #pass(lent: Buffer): void {
    const bytes = new Uint8Array(lent);
    this.#answer({ kind: 'bytes', bytes }, [bytes.buffer]);
    this.#whole!.sentBytes += bytes.length;
    this.#holdUp();
  }

  #holdUp(): void {
    const { flow, sentBytes, takenBytes } = this.#whole!;
    if (sentBytes - takenBytes > WHOLE_BYTES_MAX) flow.pause();
    else flow.resume();
  }
}

/** Measures how long a server takes until it begins to answer: what it needs at least, without the queue that we are ourselves. */
class Latency {
  readonly #news: Int32Array;
  readonly #lastUs: number[] = [];

  constructor(news: Int32Array) {
    this.#news = news;
  }

  /** The body of a response that is asked for now. */
  measured(body: Body): Body {
    const askedMs = performance.now();
    let hasBegun = false;
    return {
      take: (bytes) => {
        if (!hasBegun) this.#add(performance.now() - askedMs);
        hasBegun = true;
        body.take(bytes);
      },
      room: () => body.room?.(),
    };
  }

  #add(ms: number): void {
    this.#lastUs.push(Math.min(2 ** 30, Math.ceil(1000 * ms)));
    if (this.#lastUs.length > RESPONSES_MEASURED) this.#lastUs.shift();
    Atomics.store(this.#news, FetchNews.LATENCY_US, Math.min(...this.#lastUs));
  }
}
