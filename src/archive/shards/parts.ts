/** How an archive is divided by its bytes into parts of the same size, one for each machine. Parts count from 0. */

/** Most parts that an archive is divided into. */
export const SHARDS_MAX = 65_536;

/** Where a part begins, in bytes; one behind the last begins where the archive ends. */
export function partStart(part: number, parts: number, archiveBytes: number): number {
  // In numbers of any length: the product may be larger than what doubles hold exactly, and all machines must agree.
  return Number((BigInt(part) * BigInt(archiveBytes)) / BigInt(parts));
}

/** The part that a byte of the archive lies in. */
export function partOf(archiveOffset: number, parts: number, archiveBytes: number): number {
  return Number((BigInt(archiveOffset + 1) * BigInt(parts) - 1n) / BigInt(archiveBytes));
}
