import { closeSync, openSync, readSync } from 'node:fs';
import { systemError, XbstreamError } from '../errors.js';
import type { CipherName, DecryptionKey } from './codec.js';

/** What the user said about decryption. Values are as they were given. */
export interface KeyOptions {
  /** `--decrypt` */
  decrypt?: string | undefined;
  /** `--encrypt-key` */
  encryptKey?: string | undefined;
  /** `--encrypt-key-file` */
  encryptKeyFile?: string | undefined;
}

const KEY_BYTES: Readonly<Record<CipherName, number>> = { AES128: 16, AES192: 24, AES256: 32, NONE: 0 };
const KEY_VARIABLE = 'XBCRYPT_ENCRYPTION_KEY';
/** More is not read of a key file: no key is that long. */
const KEY_FILE_BYTES_MAX = 4096;
const CR = 0x0d;
const LF = 0x0a;

/** @throws XbstreamError `XB_USAGE` */
function parseCipher(text: string): CipherName {
  const cipher = text.toUpperCase();
  if (cipher in KEY_BYTES) return cipher as CipherName;
  throw new XbstreamError('XB_USAGE', `unknown cipher ${text}`, {
    hints: ['known are AES128, AES192, AES256 and NONE'],
  });
}

/**
 * Finds the key that decrypts: the option, or the file, or else the variable `XBCRYPT_ENCRYPTION_KEY`. It is made of
 * raw bytes, 16, 24 or 32 by the cipher (format.md, section 2). No error tells any of them.
 *
 * @returns undefined when decryption was not asked for: a key that nothing needs is no error
 * @throws XbstreamError `XB_USAGE`, `XB_KEY_REQUIRED` when there is none or its file cannot be read, `XB_BAD_KEY`
 */
export function readKey(options: KeyOptions, environment: NodeJS.ProcessEnv = process.env): DecryptionKey | undefined {
  if (options.encryptKey !== undefined && options.encryptKeyFile !== undefined) {
    throw new XbstreamError('XB_USAGE', 'a key was given twice, by --encrypt-key and by --encrypt-key-file', {
      hints: ['give one of the two'],
    });
  }
  if (options.decrypt === undefined) return undefined;
  const cipher = parseCipher(options.decrypt);
  if (cipher === 'NONE') return { cipher, bytes: Buffer.alloc(0) };
  if (options.encryptKey !== undefined)
    return keyOf(cipher, Buffer.from(options.encryptKey), 'the key of --encrypt-key');
  const file = options.encryptKeyFile;
  if (file !== undefined) return keyOf(cipher, readKeyFile(file), `the key file ${file}`);
  const variable = environment[KEY_VARIABLE];
  if (variable) return keyOf(cipher, Buffer.from(variable), `the key in ${KEY_VARIABLE}`);
  throw new XbstreamError('XB_KEY_REQUIRED', `--decrypt=${cipher} needs a key and none was given`, {
    hints: [`give it by --encrypt-key-file, --encrypt-key or the variable ${KEY_VARIABLE}`],
  });
}

/**
 * The key that these bytes are; their number tells the cipher.
 *
 * @throws XbstreamError `XB_BAD_KEY` for any other number of bytes than 16, 24 or 32
 */
export function keyFromBytes(bytes: Uint8Array): DecryptionKey {
  const whole = Buffer.from(bytes);
  const ciphers = ['AES128', 'AES192', 'AES256'] as const;
  return keyOf(ciphers.find((cipher) => KEY_BYTES[cipher] === whole.length) ?? newlinesCipher(whole), whole, 'the key');
}

/** Which cipher a key of a wrong length was meant for: its own without the newline at its end, or the usual one. */
function newlinesCipher(bytes: Buffer): CipherName {
  const length = bytes.toString('latin1').replace(/\r?\n$/, '').length;
  return length === KEY_BYTES.AES128 ? 'AES128' : length === KEY_BYTES.AES192 ? 'AES192' : 'AES256';
}

function keyOf(cipher: CipherName, bytes: Buffer, source: string): DecryptionKey {
  const expected = KEY_BYTES[cipher];
  if (bytes.length === expected) return { cipher, bytes };
  const details = [
    `expected ${expected} bytes, found ${bytes.length > KEY_FILE_BYTES_MAX ? `more than ${KEY_FILE_BYTES_MAX}` : bytes.length}`,
  ];
  const newlineBytes = bytes.at(-1) !== LF ? 0 : bytes.at(-2) === CR ? 2 : 1;
  if (newlineBytes > 0 && bytes.length - newlineBytes === expected) {
    throw new XbstreamError('XB_BAD_KEY', `${source} ends in a newline, which does not belong to a key`, {
      details,
      hints: ["write it without one, as printf '%s' does and echo does not"],
    });
  }
  const fitting = Object.entries(KEY_BYTES).find(([, length]) => length > 0 && length === bytes.length)?.[0];
  throw new XbstreamError('XB_BAD_KEY', `${source} has the wrong length for ${cipher}`, {
    details,
    hints: fitting === undefined ? [] : [`${bytes.length} bytes make a key for ${fitting}`],
  });
}

/** Reads by itself and not by `readFileSync`: the file may be a pipe (`<(...)`) or something that never ends. */
function readKeyFile(file: string): Buffer {
  const bytes = Buffer.alloc(KEY_FILE_BYTES_MAX + 1);
  let length = 0;
  try {
    const fd = openSync(file, 'r');
    try {
      while (length < bytes.length) {
        const count = readSync(fd, bytes, length, bytes.length - length, null);
        if (count === 0) break;
        length += count;
      }
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { message, systemCode } = systemError(`cannot read the key file ${file}`, error);
    throw new XbstreamError('XB_KEY_REQUIRED', message, { systemCode });
  }
  return bytes.subarray(0, length);
}
