/** Makes an archive that fails shorter, for as long as it fails. */

/** Each try runs the archive again. */
const TRIES_MAX = 400;

/**
 * @param fails whether an archive fails in the same way
 * @returns the shortest archive that was found
 */
export async function shorter(bytes: Buffer, fails: (bytes: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best = bytes;
  let tries = 0;
  const without = async (from: number, to: number): Promise<boolean> => {
    if (tries++ >= TRIES_MAX || to <= from) return false;
    const rest = Buffer.concat([best.subarray(0, from), best.subarray(to)]);
    if (!(await fails(rest))) return false;
    best = rest;
    return true;
  };
  // First whole chunks, many at once, then bytes.
  for (let count = chunkStarts(best).length; count >= 1; count = count >> 1) {
    for (let index = 0; index < chunkStarts(best).length;) {
      const starts = [...chunkStarts(best), best.length];
      if (!(await without(starts[index]!, starts[Math.min(index + count, starts.length - 1)]!))) index += count;
    }
  }
  for (let count = best.length >> 1; count >= 1; count = count >> 1) {
    for (let at = 0; at < best.length && tries < TRIES_MAX;) if (!(await without(at, at + count))) at += count;
  }
  return best;
}

function chunkStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = bytes.indexOf('XBSTCK01'); at >= 0; at = bytes.indexOf('XBSTCK01', at + 1)) starts.push(at);
  return starts;
}
