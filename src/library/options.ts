import { getHashes } from 'node:crypto';
import type { SelectionOptions as Selection } from '../archive/selection.js';
import type { BackupChoice } from '../backup/backup-state.js';
import type { DecryptionKey } from '../codec/codec.js';
import { keyFromBytes } from '../codec/key.js';
import { XbstreamError } from '../errors.js';
import type { StreamChoice } from '../input/open-source.js';
import { ID_MAX } from '../output/owner.js';
import type { ProgressReport } from '../ui/reporter.js';

/** What every function can be told. Callbacks are called in the caller's thread; what one throws ends the work. */
export interface CommonOptions {
  /** Ends the work within a moment; the function then fails with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Told about ten times a second how far the reading has come. */
  onProgress?: ((progress: ProgressReport) => void) | undefined;
  /** Told what is worth knowing and no failure. */
  onWarning?: ((message: string) => void) | undefined;
  /** Allow stored names that begin with `/`. Default: they are an error, `XB_UNSAFE_PATH`. */
  absoluteNames?: boolean | undefined;
  /**
   * Undo what the archive is wrapped in as a whole: gzip, zstd, lz4, bzip2, xz, qpress, xbcrypt (with a `key`). Default: true;
   * without it such an input is an error, `XB_BAD_MAGIC`.
   */
  decodeStream?: boolean | undefined;
}

/** Which files of an archive are meant. Default: all. */
export interface SelectionOptions {
  /**
   * Globs, matched against the final name, with and without the suffixes of compression and encryption: `db1`, `db1/*`,
   * `*.ibd`. One that matches nothing is an error, `XB_NO_MATCH`.
   */
  include?: readonly string[] | undefined;
  /** Globs; what one of them matches is left out, whatever `include` says. */
  exclude?: readonly string[] | undefined;
  /** Tables by their SQL names (`shop.orders`, `shop.*`): their files, and those that a prepare needs. */
  tables?: readonly string[] | undefined;
  /** Databases by their SQL names: their files, and those that a prepare needs. */
  databases?: readonly string[] | undefined;
}

/** What may be undone of what xtrabackup did to files. */
export interface DecodingOptions {
  /**
   * The key of encrypted files: 16, 24 or 32 bytes (a string stands for its UTF-8 bytes), for AES-128, AES-192 or AES-256.
   * Any other number is an error, `XB_BAD_KEY`.
   */
  key?: Uint8Array | string | undefined;
  /**
   * Without a `key`, where files are to be decompressed or looked into: take encrypted ones as they are stored. Default: they
   * are an error, `XB_KEY_REQUIRED`.
   */
  allowEncrypted?: boolean | undefined;
  /** Most threads that decompress. Default: as `decryptThreads`, else as many as help, at most 4. */
  decompressThreads?: number | undefined;
  /** Most threads that decrypt; the same ones decompress, so that the smaller of both counts. Default: as `decompressThreads`. */
  decryptThreads?: number | undefined;
}

/** Options that concern what an archive is wrapped in as a whole. */
export type StreamOptions = Pick<CommonOptions, 'decodeStream'> & Pick<DecodingOptions, 'key'>;

/** What a value of an option has to be. */
export type OptionKind =
  'boolean' | 'count' | 'text' | 'texts' | 'key' | 'date' | 'owner' | 'function' | 'signal' | readonly string[];

/** What is to be said of the beginning of a backup, which ends where a file ends. */
export interface BackupOptions {
  /**
   * Whether it must be a finished backup, with `xtrabackup_info`, which xtrabackup and mariabackup write last; else that is
   * `XB_UNFINISHED_BACKUP`. `auto`: where its files are those of a backup (where they may be, that is a warning). Default: `auto`.
   */
  backup?: BackupChoice | undefined;
}

/** The kinds of {@link CommonOptions}. */
export const COMMON_KINDS = {
  signal: 'signal',
  onProgress: 'function',
  onWarning: 'function',
  absoluteNames: 'boolean',
  decodeStream: 'boolean',
} as const satisfies Record<keyof CommonOptions, OptionKind>;

/** The kinds of {@link BackupOptions}. */
export const BACKUP_KINDS = {
  backup: ['auto', 'always', 'never'],
} as const satisfies Record<keyof BackupOptions, OptionKind>;

/** The kinds of {@link SelectionOptions}. */
export const SELECTION_KINDS = {
  include: 'texts',
  exclude: 'texts',
  tables: 'texts',
  databases: 'texts',
} as const satisfies Record<keyof SelectionOptions, OptionKind>;

/** The kinds of {@link DecodingOptions}. */
export const DECODING_KINDS = {
  key: 'key',
  allowEncrypted: 'boolean',
  decompressThreads: 'count',
  decryptThreads: 'count',
} as const satisfies Record<keyof DecodingOptions, OptionKind>;

/**
 * Checks the options of a function before anything is done.
 *
 * @param kinds every option there is
 * @throws XbstreamError `XB_USAGE` for an unknown option, or a value of the wrong kind
 */
export function checkOptions(options: unknown, kinds: Readonly<Record<string, OptionKind>>): void {
  if (typeof options !== 'object' || options === null) throw wrongKind('the options', 'an object', options);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, name)) {
      throw new XbstreamError('XB_USAGE', `there is no option ${name}`, {
        hints: [`there are: ${Object.keys(kinds).sort().join(', ')}`],
      });
    }
    if (value !== undefined) checkKind(`the option ${name}`, kinds[name]!, value);
  }
}

function checkKind(what: string, kind: OptionKind, value: unknown): void {
  if (typeof kind !== 'string') {
    if (typeof value === 'string' && kind.includes(value)) return;
    throw wrongKind(what, `one of ${kind.join(', ')}`, value);
  }
  const { title, fits } = KINDS[kind];
  if (!fits(value)) throw wrongKind(what, title, value);
}

const KINDS: Readonly<
  Record<Exclude<OptionKind, readonly string[]>, { title: string; fits: (value: unknown) => boolean }>
> = {
  boolean: { title: 'true or false', fits: (value) => typeof value === 'boolean' },
  count: { title: 'a whole number, 0 or more', fits: (value) => Number.isSafeInteger(value) && Number(value) >= 0 },
  text: { title: 'a string', fits: isText },
  texts: { title: 'an array of strings', fits: (value) => Array.isArray(value) && value.every(isText) },
  key: { title: 'bytes or a string', fits: (value) => typeof value === 'string' || value instanceof Uint8Array },
  date: { title: 'a Date', fits: (value) => value instanceof Date && !Number.isNaN(value.getTime()) },
  owner: { title: 'an object with uid, gid or both', fits: isOwner },
  function: { title: 'a function', fits: (value) => typeof value === 'function' },
  signal: { title: 'an AbortSignal', fits: (value) => value instanceof AbortSignal },
};

/** What the system takes for a name, or we for a pattern. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function isOwner(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const ids = Object.entries(value).filter(([, id]) => id !== undefined);
  return (
    ids.length > 0 &&
    ids.every(([name, id]) => (name === 'uid' || name === 'gid') && Number.isInteger(id) && id >= 0 && id <= ID_MAX)
  );
}

/** @throws XbstreamError `XB_USAGE` for what is no string that can name something */
export function checkText(what: string, value: unknown): void {
  checkKind(what, 'text', value);
}

function wrongKind(what: string, expected: string, found: unknown): XbstreamError {
  const shown = found === null ? 'null' : Array.isArray(found) ? 'an array' : typeof found;
  return new XbstreamError('XB_USAGE', `${what} must be ${expected}`, { details: [`found: ${shown}`] });
}

/** @throws XbstreamError `XB_BAD_KEY` */
export function keyOption(key: DecodingOptions['key']): DecryptionKey | undefined {
  if (key === undefined) return undefined;
  return keyFromBytes(typeof key === 'string' ? Buffer.from(key) : key);
}

/** What is to be done about what an archive is wrapped in as a whole. @throws XbstreamError `XB_BAD_KEY` */
export function streamOption({ decodeStream = true, key }: StreamOptions): StreamChoice {
  return { asIs: !decodeStream, key: keyOption(key) };
}

/** What the commands want to know of a selection. */
export function selectionOption({ include = [], exclude = [], tables, databases }: SelectionOptions): Selection {
  return { include, exclude, tables, databases };
}

/** @throws XbstreamError `XB_USAGE` for digests that `node:crypto` does not know */
export function checkDigests(names: readonly string[]): void {
  const known = new Set(getHashes());
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new XbstreamError('XB_USAGE', `there is no digest "${unknown}"`, {
    hints: ['among others there are: md5, sha1, sha256, sha512'],
  });
}
