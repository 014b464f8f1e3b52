/** The errors of this package: their codes, what they say, and how they cross from one thread to another. */
import type { StoredPath } from './format/stored-path.js';

/** The codes an {@link XbstreamError} can carry. Scripts may rely on them; docs/errors.md tells when each occurs. */
export type XbstreamErrorCode =
  // the archive is damaged
  | 'XB_BAD_MAGIC'
  | 'XB_BAD_HEADER'
  | 'XB_UNKNOWN_CHUNK'
  | 'XB_PATH_TOO_LONG'
  | 'XB_UNSAFE_PATH'
  | 'XB_BAD_CRC'
  | 'XB_BAD_SPARSE_MAP'
  | 'XB_OVERLAP'
  | 'XB_DUPLICATE_PATH'
  | 'XB_BAD_LAYER'
  // the archive is incomplete
  | 'XB_TRUNCATED'
  | 'XB_MISSING_EOF'
  | 'XB_GAP'
  | 'XB_EMPTY_ARCHIVE'
  | 'XB_UNFINISHED_BACKUP'
  | 'XB_LAYER_TRUNCATED'
  // content cannot be decoded
  | 'XB_KEY_REQUIRED'
  | 'XB_WRONG_KEY'
  | 'XB_BAD_KEY'
  | 'XB_UNSUPPORTED_LAYER'
  | 'XB_UNSUPPORTED_ORDER'
  // the system refused, or what was asked for is not there
  | 'XB_TARGET_EXISTS'
  | 'XB_NO_MATCH'
  | 'XB_CHANGED'
  | 'XB_BAD_INDEX'
  | 'XB_IO'
  | 'XB_USAGE';

/** What an error says beside its code and its first line. */
export interface ErrorFacts {
  /** The stored path it concerns, as a {@link StoredPath} (one character a byte). */
  path?: StoredPath | undefined;
  /** Where in the archive, in bytes from its first. */
  archiveOffset?: number | undefined;
  /** Further lines: what was expected, what was found, what was left on disk. */
  details?: readonly string[] | undefined;
  /** What to do or type next, a line each. */
  hints?: readonly string[] | undefined;
  /** A partial file that was left, relative to the target directory. */
  partial?: string | undefined;
  /** The system's own code for it, such as `ENOSPC`. */
  systemCode?: string | undefined;
  /** What it comes from, where that was thrown by somebody else. Does not cross from one thread to another. */
  cause?: unknown;
}

/**
 * Everything that goes wrong with an archive, a target or the command line.
 *
 * `message` is one line and says what happened and to which file; `details` and `hints` hold the rest. Texts may contain
 * names out of an archive as they are: whoever shows them on a terminal makes them printable first.
 */
export class XbstreamError extends Error {
  override readonly name = 'XbstreamError';
  readonly code: XbstreamErrorCode;
  readonly path: StoredPath | undefined;
  readonly archiveOffset: number | undefined;
  readonly details: readonly string[];
  readonly hints: readonly string[];
  readonly partial: string | undefined;
  readonly systemCode: string | undefined;

  constructor(code: XbstreamErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.path = facts.path;
    this.archiveOffset = facts.archiveOffset;
    this.details = facts.details ?? [];
    this.hints = facts.hints ?? [];
    this.partial = facts.partial;
    this.systemCode = facts.systemCode;
  }

  /** The same error with more said: details and hints are added to those it has, other facts fill what is not set. */
  with(more: ErrorFacts): this {
    const Kind = this.constructor as new (code: XbstreamErrorCode, message: string, facts: ErrorFacts) => this;
    return new Kind(this.code, this.message, {
      path: this.path ?? more.path,
      archiveOffset: this.archiveOffset ?? more.archiveOffset,
      details: [...this.details, ...(more.details ?? [])],
      hints: [...this.hints, ...(more.hints ?? [])],
      partial: this.partial ?? more.partial,
      systemCode: this.systemCode ?? more.systemCode,
      cause: this.cause ?? more.cause,
    });
  }
}

/** The stream that gives an archive has failed: whoever has the stream knows why. */
export class StreamFailure extends XbstreamError {}

/** Whether an error says that something could not be read or written: no matter of the archive. */
export function isRefusal({ code }: XbstreamError): boolean {
  return code === 'XB_IO' || code === 'XB_CHANGED';
}

/** Whether an error says that an archive ends too soon, and nothing else. */
export function isCut({ code }: XbstreamError): boolean {
  return code === 'XB_TRUNCATED' || code === 'XB_MISSING_EOF';
}

/** An error as plain data, the form in which it crosses from one thread to another. */
export interface ErrorRecord extends Omit<ErrorFacts, 'cause'> {
  code: XbstreamErrorCode;
  message: string;
  /** It is a {@link StreamFailure}. */
  ofStream?: true;
}

export function errorToRecord(error: XbstreamError): ErrorRecord {
  const { code, message, path, archiveOffset, details, hints, partial, systemCode } = error;
  const record = { code, message, path, archiveOffset, details, hints, partial, systemCode };
  return error instanceof StreamFailure ? { ...record, ofStream: true } : record;
}

export function errorFromRecord({ code, message, ofStream, ...facts }: ErrorRecord): XbstreamError {
  return new (ofStream ? StreamFailure : XbstreamError)(code, message, facts);
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'the device or file is in use',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a file of that name exists',
  EFBIG: 'the file is larger than the file system allows',
  EINVAL: 'the system does not accept it',
  EIO: 'the device reported an input/output error',
  EISDIR: 'it is a directory',
  ELOOP: 'it is a symbolic link',
  EMFILE: 'too many open files in this process',
  ENAMETOOLONG: 'the name is too long for the file system',
  ENFILE: 'too many open files in the system',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'operation not permitted',
  EPIPE: 'the reader has gone away',
  EROFS: 'the file system is read-only',
  ESTALE: 'the file server does not know the file any more',
  ETXTBSY: 'the file is being executed',
  EUCLEAN: 'the file system is damaged, and has to be repaired',
  EXDEV: 'it lies on another file system',
};

/** What Node calls a code that it does not know, as EDQUOT is: only its number is left. */
const UNKNOWN_CODE = /^(?:UNKNOWN|Unknown system error -\d+)$/;
/** Linux's; what Node has names for lacks it. */
const EUCLEAN = 117;

/** Node's errors carry the system's code in `code`. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  if (!UNKNOWN_CODE.test(error.code) || !('errno' in error) || typeof error.errno !== 'number') return error.code;
  const number = -error.errno;
  if (number === EUCLEAN && process.platform === 'linux') return 'EUCLEAN';
  const names: Readonly<Record<string, number>> = process.getBuiltinModule('node:os').constants.errno;
  return Object.keys(names).find((name) => names[name] === number) ?? error.code;
}

/**
 * Wraps a refusal of the system.
 *
 * @param doing what was tried, as the start of a sentence: `cannot create db1/t1.ibd`
 */
export function systemError(doing: string, error: unknown, facts: ErrorFacts = {}): XbstreamError {
  if (error instanceof XbstreamError) return error;
  const systemCode = systemCodeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const reason = systemCode === undefined ? text : `${SYSTEM_REASONS[systemCode] ?? text} (${systemCode})`;
  return new XbstreamError('XB_IO', `${doing}: ${reason}`, { systemCode, cause: error, ...facts });
}
