/** An input is compressed or encrypted as a whole: no chunk can be read in it however far one looks. */
import { XbstreamError } from '../errors.js';
import { wrapperOf } from '../wrapper/formats.js';

interface ForeignFormat {
  name: string;
  /** Where in the file `magic` stands, in bytes. */
  at: number;
  /** One character a byte. */
  magic: string | RegExp;
  hints: readonly string[];
  /** What is packed in it can be read as it is. */
  isOpen?: boolean;
}

const GPG_HINTS = ['decrypt it on the way: gpg -d FILE | tsxbstream -x -C DIR'];

/** What is undone elsewhere comes here only where that was refused. */
const UNWRAPPED_HINTS = ['without --no-decode-stream it is undone on the way'];

const FOREIGN_FORMATS: readonly ForeignFormat[] = [
  { name: 'a zip archive', at: 0, magic: 'PK\x03\x04', hints: ['unpack it with unzip'], isOpen: true },
  {
    name: 'a tar archive',
    at: 257,
    magic: 'ustar',
    hints: ['unpack it with tar: tar -xf FILE -C DIR'],
    isOpen: true,
  },
  {
    name: 'an LZ4 file of the old kind',
    at: 0,
    magic: '\x02\x21\x4c\x18',
    hints: ['unpack it on the way: lz4 -dc FILE | tsxbstream -x -C DIR'],
  },
  {
    name: 'lzop data',
    at: 0,
    magic: '\x89LZO\0\r\n\x1a\n',
    hints: ['unpack it on the way: lzop -dc FILE | tsxbstream -x -C DIR'],
  },
  {
    name: 'data encrypted by openssl',
    at: 0,
    magic: 'Salted__',
    hints: ['decrypt it on the way: openssl enc -d -aes-256-cbc -pbkdf2 -in FILE | tsxbstream -x -C DIR'],
  },
  {
    name: 'data encrypted by age',
    at: 0,
    magic: 'age-encryption.org/',
    hints: ['decrypt it on the way: age -d -i KEYFILE FILE | tsxbstream -x -C DIR'],
  },
  {
    name: 'a PGP message',
    at: 0,
    magic: '-----BEGIN PGP',
    hints: GPG_HINTS,
  },
  // A session key, for a passphrase or for somebody's own key, is the packet that a message begins with (RFC 9580, 5.1 and 5.3).
  {
    name: 'data encrypted by gpg',
    at: 0,
    // eslint-disable-next-line no-control-regex
    magic: /^(?:[\x8c\xc3].\x04|\x84.\x03|\x85..\x03|\xc1..?\x03)/s,
    hints: GPG_HINTS,
  },
];

export class ForeignInput extends XbstreamError {}

/**
 * The error for an input that does not begin with a chunk, naming what it is where its first bytes tell.
 *
 * @param bytes the input's first bytes, as many as are known
 */
export function notAnArchive(bytes: Buffer): XbstreamError {
  const head = bytes.toString('latin1', 0, 512);
  const wrapper = wrapperOf(bytes);
  const known = FOREIGN_FORMATS.find(({ at, magic }) =>
    typeof magic === 'string' ? head.startsWith(magic, at) : magic.test(head),
  );
  const make = (what: string, details: readonly string[], hints: readonly string[], Kind = XbstreamError) =>
    new Kind('XB_BAD_MAGIC', `this is no xbstream archive: ${what}`, { archiveOffset: 0, details, hints });

  if (wrapper !== undefined) return make(`it is ${wrapper.title}`, [], UNWRAPPED_HINTS, ForeignInput);
  if (known !== undefined) {
    return make(`it is ${known.name}`, [], known.hints, known.isOpen === true ? XbstreamError : ForeignInput);
  }
  const line = textPreview(bytes);
  if (line !== undefined) {
    return make(
      'it begins with text',
      [`the first line: ${line}`],
      ["if this is a program's log: its messages (stderr) must not go into the same pipe or file as the stream"],
    );
  }
  const first = bytes.subarray(0, 8);
  const zeros = first.length > 0 && first.every((byte) => byte === 0);
  return make(
    zeros ? 'it begins with zeros' : 'its first bytes are something else',
    [`expected "XBSTCK01", found "${head.slice(0, 8).replace(/[^\x20-\x7e]/g, '.')}" (${first.toString('hex')})`],
    [],
  );
}

/** The first line of `bytes` (at most 100 characters) where they are plain text, as is found in a program's messages. */
export function textPreview(bytes: Buffer): string | undefined {
  const line = /^[\t\x20-\x7e\x80-\xff]{4,}/.exec(bytes.toString('latin1', 0, 100))?.[0];
  if (line === undefined) return undefined;
  const ended = line.length < Math.min(100, bytes.length);
  // A line must reach a line's end or be long enough not to be chance.
  if (ended && !/[\r\n]/.test(String.fromCharCode(bytes[line.length] ?? 0))) return undefined;
  if (/[\x80-\xff]{4}/.test(line)) return undefined;
  return line;
}
