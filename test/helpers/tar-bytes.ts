/** Writes tars for the tests, byte by byte: what the program reads is then not what its own packer wrote. */
const BLOCK = 512;

export interface TarTwist {
  /** `0` where nothing is said: a regular file. */
  type?: string;
  /** Instead of the real size of the content. */
  size?: number;
  /** The field as it stands there, instead of octal digits. */
  sizeField?: string;
  /** What else stands in the header, by where it begins. */
  fields?: Readonly<Record<number, string>>;
}

/** A header, and its content filled up to whole blocks. */
export function member(name: string, content: Buffer | string = '', twist: TarTwist = {}): Buffer {
  const bytes = Buffer.from(content as string, 'latin1');
  const block = Buffer.alloc(BLOCK);
  const { type = '0', size = bytes.length } = twist;
  block.write(name, 0, 'latin1');
  block.write('0000640\0', 100, 'latin1');
  block.write(twist.sizeField ?? `${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  block.write('00000000000\0        ', 136, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  for (const [at, text] of Object.entries(twist.fields ?? {})) block.write(text, Number(at), 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([block, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

/** A header with records for the one after it. */
export function pax(records: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const length = [1, 2, 3, 4, 5].map((digits) => digits + rest.length).find((sum, at) => `${sum}`.length === at + 1);
    return `${length}${rest}`;
  });
  return member('pax', lines.join(''), { type: 'x' });
}

/** A sparse file as GNU tar writes it, in its version 1.0. */
export function sparseMember(name: string, realSize: number, map: string, parts: Buffer | string): Buffer {
  const lines = Buffer.from(map, 'latin1');
  const padding = Buffer.alloc((BLOCK - (lines.length % BLOCK)) % BLOCK);
  const records = {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': name,
    'GNU.sparse.realsize': String(realSize),
  };
  return Buffer.concat([
    pax(records),
    member('GNUSparseFile.0/x', Buffer.concat([lines, padding, Buffer.from(parts as string, 'latin1')])),
  ]);
}

/** A number in a field of 12 bytes: in base 256 where octal digits do not hold it. */
export function numberField(value: number): string {
  if (value < 8 ** 11) return `${value.toString(8).padStart(11, '0')}\0`;
  return `\x80${Buffer.from(value.toString(16).padStart(22, '0'), 'hex').toString('latin1')}`;
}

/** A sparse file as GNU tar writes it unless told otherwise: four parts in the header, more in blocks behind it. */
export function oldSparseMember(
  name: string,
  realSize: number,
  map: readonly (readonly [start: number, length: number])[],
  parts: Buffer | string,
  fields: Readonly<Record<number, string>> = {},
): Buffer {
  const pairs = map.map((pair) => pair.map(numberField).join(''));
  const size = Buffer.from(parts as string, 'latin1').length;
  const head = { 257: 'ustar  \0', 386: pairs.slice(0, 4).join(''), 483: numberField(realSize) };
  const more = { ...(pairs.length > 4 && { 482: '\x01' }), ...fields };
  const content = member(name, parts, { type: 'S', size, fields: { ...head, ...more } });
  const blocks: Buffer[] = [];
  for (let at = 4; at < pairs.length; at += 21) {
    const block = Buffer.alloc(BLOCK);
    block.write(pairs.slice(at, at + 21).join(''), 'latin1');
    if (pairs.length > at + 21) block[504] = 1;
    blocks.push(block);
  }
  return Buffer.concat([content.subarray(0, BLOCK), ...blocks, content.subarray(BLOCK)]);
}

export const TAR_END = Buffer.alloc(2 * BLOCK);
