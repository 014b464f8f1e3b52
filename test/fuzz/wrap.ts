/** Compresses or encrypts archives as a whole, and damages what comes of it. */
import { WRAPPINGS } from '../helpers/wrapping.js';
import { damage, type Tools } from './damage.js';

/** An archive that is compressed or encrypted as a whole. */
export interface Wrapped {
  bytes: Buffer;
  /** What was made of the archive has changed on its way. */
  isDamaged: boolean;
}

/** All have checksums of what is in them. The key is that of most archives. */
const KEY = 'AES256';

/** @returns undefined for what does not begin as an archive does: inside of a wrapper it may be taken for another one */
export function wrap(archive: Buffer, tools: Tools): Wrapped | undefined {
  const { dice, seed, story } = tools;
  if (!archive.subarray(0, 8).equals(Buffer.from('XBSTCK01'))) return undefined;
  const { title, wrap: wrapped } = dice.pick(
    WRAPPINGS.filter(({ names }) => seed.key === KEY || !names.includes('xbcrypt')),
  );
  story.push(`wrapped: ${title}`);
  const bytes = wrapped(archive);
  const isDamaged = dice.below(2) === 0;
  return { bytes: isDamaged ? damage(bytes, tools) : bytes, isDamaged };
}
