/**
 * Reads what lies at an address, range by range, and begins again where a connection ends too early. Every response must
 * come from the state that the first one came from.
 */
import { XbstreamError } from '../../errors.js';
import type { Address } from './address.js';
import { Connections } from './http/connections.js';
import { isUnreachable } from './http/failures.js';
import type { Body, Flow, Head, Judge } from './http/exchange.js';
import { HEAD_BYTES, type FoundObject } from './fetch-protocol.js';
import { HttpTarget, REDIRECTIONS, type Target } from './http-target.js';
import {
  changed,
  contentRangeOf,
  differs,
  isEmpty,
  lengthOf,
  onlyIf,
  Refusal,
  refusalError,
  Verbose,
  versionOf,
  wrongRange,
  type Version,
} from './responses.js';
import { Passing, Repetitions } from './http/retry.js';

/** The most redirects in a row. */
const REDIRECTIONS_MAX = 10;

/** Receives what lies at an address. */
export interface Opening {
  /** Called once, before the first byte. */
  found(object: FoundObject, flow: Flow): void;
  /** Takes the next bytes, from the first on; they are lent until the call returns. */
  take(bytes: Buffer): void;
}

export interface RangeClientOptions {
  /** How long a server may be silent, in milliseconds. */
  timeoutMs: number;
  /** Before the first repetition, in milliseconds; for tests. */
  firstWaitMs?: number | undefined;
}

/** Reads what lies at an address. */
export interface AddressClient {
  /** Finds out what is there, and gives its first bytes. */
  open(opening: Opening, signal?: AbortSignal): Promise<void>;
  /** Reads a range. */
  read(start: number, end: number, body: Body, signal?: AbortSignal): Promise<void>;
  /** Breaks off what is under way. */
  close(): void;
}

export class RangeClient implements AddressClient {
  readonly #target: Target;
  readonly #connections: Connections;
  readonly #options: RangeClientOptions;
  #version: Version = { etag: undefined, lastModified: undefined };
  #sizeBytes = 0;
  #hasBegun = false;
  #hasRanges = true;

  private constructor(target: Target, connections: Connections, options: RangeClientOptions) {
    this.#target = target;
    this.#connections = connections;
    this.#options = options;
  }

  /** @throws XbstreamError `XB_USAGE`, `XB_IO` where what an `s3:` address needs is missing */
  static async to(address: Address, options: RangeClientOptions): Promise<RangeClient> {
    const target = address.scheme === 'http' ? new HttpTarget(address.url) : await s3Target(address);
    return new RangeClient(target, new Connections(options.timeoutMs, process.env), options);
  }

  /** Reads over connections that others use, too. @param known what is known of it, where it need not be found out */
  static over(
    target: Target,
    connections: Connections,
    options: RangeClientOptions,
    known?: { etag: string | undefined; sizeBytes: number },
  ): RangeClient {
    const client = new RangeClient(target, connections, options);
    if (known === undefined) return client;
    client.#version = { etag: known.etag, lastModified: undefined };
    client.#sizeBytes = known.sizeBytes;
    client.#hasBegun = true;
    return client;
  }

  /**
   * All of what is small, in one go.
   *
   * @throws XbstreamError `XB_IO`, also where it is larger than this
   */
  async whole(bytesMax: number, signal?: AbortSignal): Promise<Buffer> {
    let pieces: Buffer[] = [];
    await this.#repeatedly(
      0,
      () => 0,
      signal,
      async () => {
        pieces = [];
        let left = bytesMax;
        const take = (bytes: Buffer): void => {
          left -= bytes.length;
          if (left < 0) throw wrongRange(this.#target.name, `at most ${bytesMax} bytes`, 'more');
          pieces.push(Buffer.from(bytes));
        };
        const judge: Judge = (head) => {
          if (head.status !== 200) throw wrongRange(this.#target.name, 'all of it', said(head));
          return { take };
        };
        await this.#ask({}, judge, signal);
      },
    );
    return Buffer.concat(pieces);
  }

  /**
   * Finds out what is there, and gives its first bytes; where it cannot be read by position, all of them.
   *
   * @throws XbstreamError `XB_IO`, `XB_CHANGED`
   * @throws the signal's reason after it was aborted
   */
  async open(opening: Opening, signal?: AbortSignal): Promise<void> {
    let taken = 0;
    let end = 0;
    const take = (bytes: Buffer): void => {
      taken += bytes.length;
      opening.take(bytes);
    };
    let headers: Readonly<Record<string, string>> = FIRST_BYTES;
    const judge: Judge = (head, flow) => {
      const range = head.status === 206 ? contentRangeOf(head) : undefined;
      if (head.status === 206 && (range?.start !== 0 || range.end > HEAD_BYTES || headers !== FIRST_BYTES)) {
        throw wrongRange(this.#target.name, 'its first bytes', said(head));
      }
      // Where the server does not tell how much there is, positions are of no use.
      if (range !== undefined && range.totalBytes === undefined) throw new NoRange();
      this.#hasRanges = range !== undefined;
      this.#hasBegun = true;
      this.#version = versionOf(head);
      this.#sizeBytes = range?.totalBytes ?? 0;
      end = Math.min(HEAD_BYTES, this.#sizeBytes);
      opening.found({ sizeBytes: range?.totalBytes ?? lengthOf(head), hasRanges: range !== undefined }, flow);
      return range === undefined ? { take } : bounded({ take }, range.end, this.#target.name);
    };
    const ask = async (): Promise<void> => {
      try {
        await this.#ask(headers, judge, signal);
      } catch (error) {
        if (error instanceof NoRange) {
          headers = {};
          await ask();
        } else if (error instanceof Empty) {
          opening.found({ sizeBytes: 0, hasRanges: true }, NO_FLOW);
        } else if (error instanceof Passing && this.#hasBegun) {
          // What has come cannot be taken back, so that nobody may begin again.
          if (!this.#hasRanges) throw this.#givenUp(error, taken, 1, NO_RANGES);
        } else {
          throw error;
        }
      }
    };
    await this.#repeatedly(0, () => 0, signal, ask);
    if (this.#hasRanges && taken < end) await this.read(taken, end, opening, signal);
  }

  /**
   * Reads a range.
   *
   * @param start archive offset of its first byte
   * @param end behind its last byte, at most the size
   * @param body takes the bytes, from the first on; where it has room for them they may be received right there
   * @throws XbstreamError `XB_IO`, `XB_CHANGED`
   * @throws the signal's reason after it was aborted
   */
  async read(start: number, end: number, body: Body, signal?: AbortSignal): Promise<void> {
    let at = start;
    const counted: Body = {
      take: (bytes) => {
        at += bytes.length;
        body.take(bytes);
      },
      room: () => body.room?.(),
    };
    await this.#repeatedly(
      start,
      () => at,
      signal,
      async () => {
        while (at < end) {
          const from = at;
          const judge: Judge = (head) => bounded(counted, this.#checked(head, from, end) - from, this.#target.name);
          await this.#ask({ range: `bytes=${from}-${end - 1}`, ...onlyIf(this.#version) }, judge, signal);
          if (at === from) throw new Passing('the server has given no bytes');
        }
      },
    );
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#connections.close();
  }

  /** @returns where the range of a response ends. @throws XbstreamError for one that is not what was asked for */
  #checked(head: Head, start: number, end: number): number {
    const { name } = this.#target;
    const range = contentRangeOf(head);
    const isOther = differs(versionOf(head), this.#version);
    const totalBytes = range?.totalBytes ?? (head.status === 200 ? lengthOf(head) : undefined);
    if (isOther || (totalBytes !== undefined && totalBytes !== this.#sizeBytes)) throw changed(name);
    // A server may give less; what is missing is asked for again.
    if (head.status === 206 && range?.start === start && range.end <= end) return range.end;
    throw wrongRange(name, `bytes ${start}-${end - 1}`, said(head));
  }

  /** Tries until it goes well, or is hopeless. @param at where the next byte is wanted */
  async #repeatedly(
    start: number,
    at: () => number,
    signal: AbortSignal | undefined,
    work: () => Promise<void>,
  ): Promise<void> {
    const repetitions = new Repetitions(start, this.#options.firstWaitMs);
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (!(error instanceof Passing)) throw error;
        const isHopeless = !this.#hasBegun && isUnreachable(error);
        if (!isHopeless && (await repetitions.again(error, at(), signal))) continue;
        throw this.#givenUp(error, at(), repetitions.tries);
      }
    }
  }

  #givenUp({ message }: Passing, at: number, tries: number, ...more: readonly string[]): XbstreamError {
    const before = this.#hasBegun ? [`the next byte would have been archive byte ${at}`] : [];
    const tried = tries > 1 ? [`it was tried ${tries} times`] : [];
    return new XbstreamError('XB_IO', `cannot read ${this.#target.name}: ${message}`, {
      details: [...tried, ...before, ...more],
    });
  }

  /** One question and its answer, wherever that is to be found. */
  async #ask(headers: Readonly<Record<string, string>>, judge: Judge, signal: AbortSignal | undefined): Promise<void> {
    let wasSentOn = false;
    for (let asked = 0; asked <= REDIRECTIONS_MAX; asked += 1) {
      const request = await this.#target.request(headers);
      let refusal: Refusal | undefined;
      const sort: Judge = (head, flow) => {
        if (head.status === 200 || head.status === 206) return judge(head, flow);
        refusal = new Refusal(head);
        return refusal;
      };
      try {
        await this.#connections.exchange(request, sort, signal);
      } catch (error) {
        if (!(error instanceof Verbose)) throw error;
      }
      if (refusal === undefined) return;
      if (!this.#hasBegun && isEmpty(refusal.head)) throw new Empty();
      // Of nothing some stores give no range, and do not say why.
      if (!this.#hasBegun && refusal.head.status === 416 && headers === FIRST_BYTES) throw new NoRange();
      if (!this.#target.follow(refusal, request, wasSentOn)) throw refusalError(refusal, this.#target, this.#hasBegun);
      wasSentOn = REDIRECTIONS.has(refusal.head.status);
    }
    throw new XbstreamError('XB_IO', `cannot read ${this.#target.name}: it leads on from place to place`, {
      details: [`${REDIRECTIONS_MAX} redirections were followed`],
    });
  }
}

const FIRST_BYTES = { range: `bytes=0-${HEAD_BYTES - 1}` };
const NO_RANGES = 'this server gives no ranges of bytes, so that nobody can go on where it has ended';

/** The server gives no first range, or tells no size with it: all there is can be asked for. */
class NoRange extends Error {}
/** There is nothing there. */
class Empty extends Error {}

/** Of what comes by ranges. */
export const NO_FLOW: Flow = { pause: () => undefined, resume: () => undefined };

/** Takes no more than was announced. */
function bounded(body: Body, bytes: number, name: string): Body {
  let left = bytes;
  return {
    take: (chunk) => {
      left -= chunk.length;
      if (left < 0) throw wrongRange(name, `${bytes} bytes`, 'more');
      body.take(chunk);
    },
    room: () => {
      const room = left > 0 ? body.room?.() : undefined;
      return room !== undefined && room.length > left ? room.subarray(0, left) : room;
    },
  };
}

/** What a response says that it holds, for messages. */
function said(head: Head): string {
  const range = head.header('content-range');
  const isPlain = range !== undefined && /^[\w */-]{1,80}$/.test(range);
  return `HTTP ${head.status}${isPlain ? `, ${range}` : ', no range that makes sense'}`;
}

async function s3Target(address: Address & { scheme: 's3' }): Promise<Target> {
  const { S3Bucket, S3Target } = await import('./s3/s3-target.js');
  return new S3Target(await S3Bucket.of(address), address.key);
}
