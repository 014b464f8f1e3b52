/** Finds the key for decryption in options, a file or the environment. */
import { openSync, readSync } from 'node:fs';
import { systemError, XbstreamError } from '../../errors.js';
import { closeRead } from '../../input/close.js';
import type { CipherName, DecryptionKey } from '../codec.js';

/** What the user said about decryption. Values are as they were given. */
export interface KeyOptions {
  /** `--decrypt` */
  decrypt?: string | undefined;
  /** `--encrypt-key` */
  encryptKey?: string | undefined;
  /** `--encrypt-key-file` */
  encryptKeyFile?: string | undefined;
  /** Files are to be decoded: a key in the environment is meant for them. */
  decodes?: boolean | undefined;
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

/** A key as somebody gave it, and what messages call it. */
interface GivenKey {
  bytes: Buffer;
  source: string;
  /** How to do without it. */
  hints?: readonly string[];
}

/**
 * Finds the key that decrypts: the option, or the file, or else the variable `XBCRYPT_ENCRYPTION_KEY`. It is made of
 * raw bytes, 16, 24 or 32 by the cipher (format.md, section 2); where no cipher was named, their number says which. No
 * error tells any of them.
 *
 * A key that an option gives is always used. One in the environment may be there for another program: it is used where
 * decryption was asked for, or {@link KeyOptions.decodes}. The cipher `NONE` switches decryption off.
 *
 * @returns undefined when nothing is to be decrypted
 * @throws XbstreamError `XB_USAGE`, `XB_KEY_REQUIRED` when there is none or its file cannot be read, `XB_BAD_KEY`
 */
export function readKey(options: KeyOptions, environment: NodeJS.ProcessEnv = process.env): DecryptionKey | undefined {
  const { decrypt, encryptKey, encryptKeyFile, decodes = false } = options;
  if (encryptKey !== undefined && encryptKeyFile !== undefined) {
    throw new XbstreamError('XB_USAGE', 'a key was given twice, by --encrypt-key and by --encrypt-key-file', {
      hints: ['give one of the two'],
    });
  }
  const cipher = decrypt === undefined ? undefined : parseCipher(decrypt);
  if (cipher === 'NONE') return undefined;
  const isAskedFor = cipher !== undefined || decodes;
  const given = keyOfOptions(options) ?? (isAskedFor ? keyOfEnvironment(environment) : undefined);
  if (given !== undefined) return cipher === undefined ? keyByLength(given) : keyOf(cipher, given);
  if (cipher === undefined) return undefined;
  throw new XbstreamError('XB_KEY_REQUIRED', `--decrypt=${cipher} needs a key and none was given`, {
    hints: [`give it by --encrypt-key-file, --encrypt-key or the variable ${KEY_VARIABLE}`],
  });
}

function keyOfOptions({ encryptKey, encryptKeyFile }: KeyOptions): GivenKey | undefined {
  if (encryptKey !== undefined) return { bytes: Buffer.from(encryptKey), source: 'the key of --encrypt-key' };
  if (encryptKeyFile === undefined) return undefined;
  const bytes = readKeyFile(encryptKeyFile);
  // `-xf FILE`, as of tar.
  const hints =
    bytes.length > KEY_FILE_BYTES_MAX ? ['-f names the file of a key; an archive: tsxbstream -x < ARCHIVE'] : [];
  return { bytes, source: `the key file ${encryptKeyFile}`, hints };
}

/** An empty variable is none: that is how a shell takes one back for a single command. */
function keyOfEnvironment(environment: NodeJS.ProcessEnv): GivenKey | undefined {
  const variable = environment[KEY_VARIABLE];
  if (!variable) return undefined;
  return {
    bytes: Buffer.from(variable),
    source: `the key in ${KEY_VARIABLE}`,
    hints: ['to decrypt nothing, whatever keys there are: --decrypt=NONE'],
  };
}

/**
 * The key that these bytes are; their number tells the cipher.
 *
 * @throws XbstreamError `XB_BAD_KEY` for any other number of bytes than 16, 24 or 32
 */
export function keyFromBytes(bytes: Uint8Array): DecryptionKey {
  return keyByLength({ bytes: Buffer.from(bytes), source: 'the key' });
}

function keyByLength(given: GivenKey): DecryptionKey {
  const { bytes, source, hints } = given;
  const cipher = cipherOf(bytes.length) ?? cipherOf(bytes.length - newlineBytes(bytes));
  if (cipher !== undefined) return keyOf(cipher, given);
  throw new XbstreamError('XB_BAD_KEY', `${source} has a length that no key has`, {
    details: [`expected 16, 24 or 32 bytes (AES128, AES192, AES256), found ${lengthText(bytes)}`],
    hints,
  });
}

function keyOf(cipher: CipherName, { bytes, source }: GivenKey): DecryptionKey {
  const expected = KEY_BYTES[cipher];
  if (bytes.length === expected) return { cipher, bytes };
  const details = [`expected ${expected} bytes, found ${lengthText(bytes)}`];
  const newline = newlineBytes(bytes);
  if (newline > 0 && bytes.length - newline === expected) {
    throw new XbstreamError('XB_BAD_KEY', `${source} ends in a newline, which does not belong to a key`, {
      details,
      hints: ["write it without one, as printf '%s' does and echo does not"],
    });
  }
  const fitting = cipherOf(bytes.length);
  throw new XbstreamError('XB_BAD_KEY', `${source} has the wrong length for ${cipher}`, {
    details,
    hints: fitting === undefined ? [] : [`${bytes.length} bytes make a key for ${fitting}`],
  });
}

/** The cipher whose keys are so long. */
function cipherOf(length: number): CipherName | undefined {
  return (['AES128', 'AES192', 'AES256'] as const).find((cipher) => KEY_BYTES[cipher] === length);
}

/** Of how many bytes the newline at the end is. */
function newlineBytes(bytes: Buffer): number {
  return bytes.at(-1) !== LF ? 0 : bytes.at(-2) === CR ? 2 : 1;
}

function lengthText({ length }: Buffer): string {
  return length > KEY_FILE_BYTES_MAX ? `more than ${KEY_FILE_BYTES_MAX}` : String(length);
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
      closeRead(fd);
    }
  } catch (error) {
    const { message, systemCode } = systemError(`cannot read the key file ${file}`, error);
    throw new XbstreamError('XB_KEY_REQUIRED', message, { systemCode });
  }
  return bytes.subarray(0, length);
}
