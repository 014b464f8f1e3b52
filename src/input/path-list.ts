import type { StoredPath } from '../format/stored-path.js';
import { openSource, type InputChoice } from './open-source.js';
import { PIECE_ROOM_BYTES, type Source } from './source.js';

/**
 * Reads a list of paths: one a line, or each ended by a NUL byte. Their bytes are taken as they are.
 *
 * @param onSource is given what reads, so that it can be stopped
 * @throws XbstreamError `XB_IO`
 */
export async function readPathList(
  input: InputChoice,
  nullSeparated: boolean,
  isStopped: () => boolean,
  onSource: (source: Source) => void,
): Promise<StoredPath[]> {
  const room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  let text = '';
  const source = await openSource(input, isStopped);
  onSource(source);
  await source.run({
    room: () => room,
    push: (piece) => {
      text += piece.toString('latin1');
      return undefined;
    },
    skippableBytes: 0,
    skip: () => undefined,
  });
  return text.split(nullSeparated ? '\0' : '\n').filter((path) => path !== '');
}
