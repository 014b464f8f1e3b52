const TABLE_ENTRIES = 4096;
const CONTROL_BITS = 31;
const TAIL_BYTES = 11;
/** Matches end at least this far from the end. */
const LITERALS_AT_END = 4;

export interface QuickLzEncoding {
  /** Longest match to use; 2 for literals only. */
  longestMatch?: number;
  /** Called for each match that could be taken; false makes a literal of it. */
  takeMatch?: () => boolean;
  /** Bytes to put behind the last literal. */
  filler?: Buffer;
  /** Lengths of one byte each; only where they fit. */
  shortHeader?: boolean;
}

/** QuickLZ 1.5.0, level 1: what the decoder under test must undo (format.md, section 3). */
export function encodeQuickLz(source: Buffer, options: QuickLzEncoding = {}): Buffer {
  const body = Buffer.concat([encodeBody(source, options), options.filler ?? Buffer.alloc(0)]);
  return withHeader(body, source.length, true, options.shortHeader ?? false);
}

export function storeQuickLz(source: Buffer, shortHeader = false): Buffer {
  return withHeader(source, source.length, false, shortHeader);
}

export function withHeader(body: Buffer, decompressedBytes: number, compressed: boolean, shortHeader: boolean): Buffer {
  const flags = 0x44 | (compressed ? 1 : 0) | (shortHeader ? 0 : 2);
  if (shortHeader) return Buffer.concat([Buffer.from([flags, body.length + 3, decompressedBytes]), body]);
  const header = Buffer.alloc(9);
  header[0] = flags;
  header.writeUInt32LE(body.length + 9, 1);
  header.writeUInt32LE(decompressedBytes, 5);
  return Buffer.concat([header, body]);
}

function encodeBody(source: Buffer, { longestMatch = 255, takeMatch = () => true }: QuickLzEncoding): Buffer {
  const out: number[] = [];
  const control = new ControlWords(out);
  const table = new Int32Array(TABLE_ENTRIES).fill(-1);
  let next = 0;
  const enterUpTo = (end: number) => {
    for (; next < end; next++) table[hashAt(source, next)] = next;
  };
  for (let at = 0; at < source.length;) {
    enterUpTo(at - 2);
    const hash = at < source.length - TAIL_BYTES ? hashAt(source, at) : -1;
    const from = hash < 0 ? -1 : table[hash]!;
    const length =
      from < 0 ? 0 : matchLength(source, from, at, Math.min(longestMatch, source.length - LITERALS_AT_END - at));
    if (length < 3 || !takeMatch()) {
      control.push(0);
      out.push(source[at++]!);
      continue;
    }
    control.push(1);
    const code = length <= 17 ? length - 2 : 0;
    out.push(((hash << 4) | code) & 0xff, hash >>> 4);
    if (code === 0) out.push(length);
    enterUpTo(at + 1);
    at += length;
    next = at;
  }
  control.finish();
  return Buffer.from(out);
}

function hashAt(source: Buffer, at: number): number {
  const x = source.readUIntLE(at, 3);
  return ((x >>> 12) ^ x) & (TABLE_ENTRIES - 1);
}

function matchLength(source: Buffer, from: number, at: number, most: number): number {
  let length = 0;
  while (length < most && source[from + length] === source[at + length]) length++;
  return length;
}

class ControlWords {
  #at = 0;
  #bits = 0;
  #word = 0;
  #begun = false;

  constructor(readonly out: number[]) {}

  push(bit: 0 | 1): void {
    if (!this.#begun || this.#bits === CONTROL_BITS) {
      this.finish();
      this.#at = this.out.length;
      this.out.push(0, 0, 0, 0);
      this.#bits = 0;
      this.#word = 0;
      this.#begun = true;
    }
    if (bit === 1) this.#word += 2 ** this.#bits;
    this.#bits++;
  }

  finish(): void {
    if (!this.#begun) return;
    const word = this.#word + 2 ** this.#bits;
    for (let i = 0; i < 4; i++) this.out[this.#at + i] = Math.floor(word / 2 ** (8 * i)) & 0xff;
  }
}
