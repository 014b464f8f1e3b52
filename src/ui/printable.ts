/**
 * What a terminal or a log would not show as it is: control characters (ESC and the C1 range among them), characters that
 * reorder or hide what stands beside them, and halves of surrogate pairs. An archive may hold them on purpose.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** One well-formed UTF-8 sequence in a string of one character a byte (RFC 3629, section 4), or one byte that is none. */
const UTF8_SEQUENCE =
  /[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/** Whether every character is one byte: only then can a string be the bytes of a name. */
function isBytes(text: string): boolean {
  return /^[\0-\xff]*$/.test(text);
}

function escape(character: string): string {
  const codePoint = character.codePointAt(0)!;
  return codePoint <= 0xff
    ? `\\x${codePoint.toString(16).padStart(2, '0')}`
    : `\\u{${codePoint.toString(16).padStart(4, '0')}}`;
}

/** A text as one line that is safe on a terminal: what cannot be shown becomes `\xNN` or `\u{NNNN}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escape);
}

/**
 * A stored path (one character a byte) as one line that is safe on a terminal. Its bytes are read as UTF-8; each that is
 * not part of valid UTF-8 becomes `\xNN`.
 */
export function printablePath(path: string): string {
  if (!isBytes(path)) return printable(path);
  return path.replace(UTF8_SEQUENCE, (sequence) => {
    if (sequence.length === 1) return sequence < '\x80' ? printable(sequence) : escape(sequence);
    return printable(Buffer.from(sequence, 'latin1').toString());
  });
}

/** A stored path (one character a byte) as a program gets it. */
export interface ExactPath {
  /** The best reading as UTF-8: bytes that are none have become U+FFFD. */
  text: string;
  /** The exact bytes, only where `text` is not all there is to know. */
  base64?: string;
}

export function exactPath(path: string): ExactPath {
  if (!isBytes(path)) return { text: path };
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? { text } : { text, base64: bytes.toString('base64') };
}
