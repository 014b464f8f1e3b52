/** The exit code for everything that went wrong in a run; {@link EXIT_OK} for nothing. */
import type { XbstreamErrorCode } from '../errors.js';

/** Exit codes are an interface that scripts rely on; docs/errors.md lists them. */
export const EXIT_OK = 0;
/** The system refused, or what was asked for is not there. */
export const EXIT_REFUSED = 1;
export const EXIT_USAGE = 2;
const EXIT_DAMAGED = 3;
const EXIT_INCOMPLETE = 4;
/** Content cannot be decoded. */
const EXIT_UNDECODABLE = 5;

const EXIT_CODES: Readonly<Record<XbstreamErrorCode, number>> = {
  XB_BAD_MAGIC: EXIT_DAMAGED,
  XB_BAD_HEADER: EXIT_DAMAGED,
  XB_UNKNOWN_CHUNK: EXIT_DAMAGED,
  XB_PATH_TOO_LONG: EXIT_DAMAGED,
  XB_UNSAFE_PATH: EXIT_DAMAGED,
  XB_BAD_CRC: EXIT_DAMAGED,
  XB_BAD_SPARSE_MAP: EXIT_DAMAGED,
  XB_OVERLAP: EXIT_DAMAGED,
  XB_DUPLICATE_PATH: EXIT_DAMAGED,
  XB_BAD_LAYER: EXIT_DAMAGED,
  XB_TRUNCATED: EXIT_INCOMPLETE,
  XB_MISSING_EOF: EXIT_INCOMPLETE,
  XB_GAP: EXIT_INCOMPLETE,
  XB_EMPTY_ARCHIVE: EXIT_INCOMPLETE,
  XB_UNFINISHED_BACKUP: EXIT_INCOMPLETE,
  XB_LAYER_TRUNCATED: EXIT_INCOMPLETE,
  XB_KEY_REQUIRED: EXIT_UNDECODABLE,
  XB_WRONG_KEY: EXIT_UNDECODABLE,
  XB_BAD_KEY: EXIT_UNDECODABLE,
  XB_UNSUPPORTED_LAYER: EXIT_UNDECODABLE,
  XB_UNSUPPORTED_ORDER: EXIT_UNDECODABLE,
  XB_TARGET_EXISTS: EXIT_REFUSED,
  XB_NO_MATCH: EXIT_REFUSED,
  XB_CHANGED: EXIT_REFUSED,
  XB_BAD_INDEX: EXIT_REFUSED,
  XB_IO: EXIT_REFUSED,
  XB_USAGE: EXIT_USAGE,
};

/** Which exit code wins where several problems were found. A usage error is always alone. */
const PRECEDENCE = [EXIT_USAGE, EXIT_REFUSED, EXIT_DAMAGED, EXIT_UNDECODABLE, EXIT_INCOMPLETE] as const;

export function exitCodeFor(codes: Iterable<XbstreamErrorCode>): number {
  const found = new Set(Array.from(codes, (code) => EXIT_CODES[code]));
  return PRECEDENCE.find((exitCode) => found.has(exitCode)) ?? EXIT_OK;
}
