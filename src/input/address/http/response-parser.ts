/** Reads a response of HTTP/1.1 (RFC 9112), as its bytes come. Strict: what is not well-formed is no HTTP. */
import { ChunkedBody } from './chunked-body.js';
import { NoHttp } from './failures.js';
import type { Body, Flow, Head, Judge } from './exchange.js';

/** Most bytes of a head, or of several that announce the last. */
const HEAD_BYTES_MAX = 64 * 1024;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^]*)?$/;
/** A name is a token; a value has no control characters but tabs, and no line that goes on. */
const FIELD = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e\x80-\xff]*)$/;
const NOTHING = Buffer.alloc(0);

export class ResponseParser {
  readonly #judge: Judge;
  readonly #flow: Flow;
  /** The beginning of a head. */
  #held: Buffer = NOTHING;
  #headBytes = 0;
  #body: Body | undefined;
  #chunks: ChunkedBody | undefined;
  /** Bytes of the body that are to come; infinite where it ends with the connection. */
  #left = Infinity;
  #isDone = false;
  #persists = false;

  constructor(judge: Judge, flow: Flow) {
    this.#judge = judge;
    this.#flow = flow;
  }

  /** All of the response has come. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The connection can be asked again. */
  get persists(): boolean {
    return this.#persists;
  }

  /** Where the next bytes may be put: no more than are part of the body. */
  room(): Buffer | undefined {
    if (this.#isDone || this.#chunks !== undefined) return undefined;
    const room = this.#body?.room?.();
    return room !== undefined && room.length > this.#left ? room.subarray(0, this.#left) : room;
  }

  /** Takes the next bytes. @throws NoHttp, and what the judge and the body throw */
  push(bytes: Buffer): void {
    let rest: Buffer | undefined = bytes;
    while (this.#body === undefined) {
      rest = this.#takeHead(rest);
      if (rest === undefined) return;
    }
    if (rest.length > 0 && !this.#isDone) rest = this.#takeBody(this.#body, rest);
    // Nobody has asked for more.
    if (this.#isDone && rest.length > 0) this.#persists = false;
  }

  /** The connection has ended. @returns whether all has come */
  end(): boolean {
    if (this.#body !== undefined && this.#left === Infinity && this.#chunks === undefined) this.#isDone = true;
    return this.#isDone;
  }

  /** @returns what is behind the body */
  #takeBody(body: Body, bytes: Buffer): Buffer {
    if (this.#chunks !== undefined) {
      const rest = this.#chunks.push(bytes);
      this.#isDone = this.#chunks.isDone;
      return rest;
    }
    const own = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= own.length;
    body.take(own);
    this.#isDone = this.#left === 0;
    return bytes.subarray(own.length);
  }

  /** @returns what is behind the head; undefined where that has not ended */
  #takeHead(bytes: Buffer): Buffer | undefined {
    const held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const end = held.indexOf('\r\n\r\n', Math.max(0, this.#held.length - 3), 'latin1');
    if (this.#headBytes + (end === -1 ? held.length : end) > HEAD_BYTES_MAX) throw new NoHttp('a head without an end');
    if (end === -1) {
      // What is no HTTP may never end.
      if (!'HTTP/1.'.startsWith(held.toString('latin1', 0, 7))) throw new NoHttp('another beginning');
      this.#held = Buffer.from(held);
      return undefined;
    }
    this.#held = NOTHING;
    this.#headBytes += end;
    this.#begin(held.toString('latin1', 0, end));
    return held.subarray(end + 4);
  }

  #begin(text: string): void {
    const [statusLine, ...lines] = text.split('\r\n');
    const [, minor, digits] = STATUS_LINE.exec(statusLine!) ?? [];
    if (minor === undefined) throw new NoHttp('no status line');
    const status = Number(digits);
    const fields = fieldsOf(lines);
    if (status === 101) throw new NoHttp('another protocol');
    // One that announces another.
    if (status < 200) return;
    this.#frame(status, fields);
    const options = listed(fields.get('connection'));
    this.#persists = this.#left !== Infinity || this.#chunks !== undefined;
    if (options.includes('close') || (minor === '0' && !options.includes('keep-alive'))) this.#persists = false;
    const head: Head = { status, header: (name) => fields.get(name)?.[0] };
    const body = this.#judge(head, this.#flow);
    this.#body = body;
    if (this.#chunks !== undefined) this.#chunks.body = body;
    else this.#isDone = this.#left === 0;
  }

  /** How long the body is (RFC 9112, section 6.3). */
  #frame(status: number, fields: Fields): void {
    const codings = listed(fields.get('transfer-encoding'));
    const lengths = new Set(listed(fields.get('content-length')));
    if (status === 204 || status === 304) this.#left = 0;
    else if (codings.length > 0) {
      // A length beside that is how responses are smuggled.
      if (codings.length > 1 || codings[0] !== 'chunked' || lengths.size > 0) throw new NoHttp('an unknown coding');
      this.#chunks = new ChunkedBody();
    } else if (fields.has('content-length')) {
      const [length] = lengths;
      if (lengths.size !== 1 || !/^\d{1,15}$/.test(length!)) throw new NoHttp('a length that is none');
      this.#left = Number(length);
    }
  }
}

type Fields = ReadonlyMap<string, readonly string[]>;

function fieldsOf(lines: readonly string[]): Fields {
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined) throw new NoHttp('a field that is none');
    const key = name.toLowerCase();
    const values = fields.get(key) ?? [];
    values.push(value!.trim());
    fields.set(key, values);
  }
  return fields;
}

/** What stands in all fields of one name, between commas. */
function listed(values: readonly string[] = []): string[] {
  return values
    .flatMap((value) => value.split(',').map((word) => word.trim().toLowerCase()))
    .filter((word) => word !== '');
}
