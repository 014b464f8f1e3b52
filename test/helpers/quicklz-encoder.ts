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
  const out = Buffer.allocUnsafe(source.length + 4 * (Math.ceil(source.length / CONTROL_BITS) + 1));
  let length = 0;
  let controlAt = -1;
  let control = 0;
  let bits = 0;
  const finishControl = (): void => {
    if (controlAt >= 0) out.writeUInt32LE(control + 2 ** bits, controlAt);
  };
  const pushControl = (bit: 0 | 1): void => {
    if (controlAt < 0 || bits === CONTROL_BITS) {
      finishControl();
      controlAt = length;
      length += 4;
      bits = 0;
      control = 0;
    }
    if (bit === 1) control += 2 ** bits;
    bits++;
  };
  const table = new Int32Array(TABLE_ENTRIES).fill(-1);
  let next = 0;
  const enterUpTo = (end: number): void => {
    for (; next < end; next++) table[hashAt(source, next)] = next;
  };
  for (let at = 0; at < source.length;) {
    enterUpTo(at - 2);
    const hash = at < source.length - TAIL_BYTES ? hashAt(source, at) : -1;
    const from = hash < 0 ? -1 : table[hash]!;
    const matched =
      from < 0 ? 0 : matchLength(source, from, at, Math.min(longestMatch, source.length - LITERALS_AT_END - at));
    if (matched < 3 || !takeMatch()) {
      pushControl(0);
      out[length++] = source[at++]!;
      continue;
    }
    pushControl(1);
    const code = matched <= 17 ? matched - 2 : 0;
    out[length++] = (hash << 4) | code;
    out[length++] = hash >>> 4;
    if (code === 0) out[length++] = matched;
    enterUpTo(at + 1);
    at += matched;
    next = at;
  }
  finishControl();
  return out.subarray(0, length);
}

function hashAt(source: Buffer, at: number): number {
  const x = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16);
  return ((x >>> 12) ^ x) & (TABLE_ENTRIES - 1);
}

function matchLength(source: Buffer, from: number, at: number, most: number): number {
  let length = 0;
  while (length < most && source[from + length] === source[at + length]) length++;
  return length;
}
