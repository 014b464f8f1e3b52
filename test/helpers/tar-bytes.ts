/** Writes tars for the tests, byte by byte: what the program reads is then not what its own packer wrote. */
const BLOCK = 512;

export interface TarTwist {
  /** `0` where nothing is said: a regular file. */
  type?: string;
  /** Instead of the real size of the content. */
  size?: number;
  /** The field as it stands there, instead of octal digits. */
  sizeField?: string;
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

export const TAR_END = Buffer.alloc(2 * BLOCK);
