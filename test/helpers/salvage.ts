import type { ByteView } from '../../dist/archive/salvage/byte-view.js';
import { Selection } from '../../dist/archive/selection/selection.js';
import { WantedByCurrentName } from '../../dist/archive/selection/wanted-entries.js';
import { Lane } from '../../dist/engine/lane.js';
import type { XbstreamError } from '../../dist/errors.js';
import { MemoryOutput } from './memory-output.js';

/** What is left of a damaged archive. */
export interface Salvaged {
  errors: XbstreamError[];
  files: Map<string, Buffer>;
  lost: string[];
}

/**
 * Reads a damaged archive to its end, in this thread.
 *
 * @param seekable what came before can be read again, as of a file; else as from a pipe
 */
export async function salvage(bytes: Buffer, seekable: boolean, pieceBytes = 4096): Promise<Salvaged> {
  const output = new MemoryOutput();
  const view: ByteView = {
    bytesAt: (at, length) => bytes.subarray(at, at + length),
    endsAt: (at) => at === bytes.length,
  };
  const lane = new Lane({
    output,
    decoding: undefined,
    wanted: new WantedByCurrentName(new Selection({ include: [], exclude: [] }), undefined),
    absoluteNames: false,
    allowEmpty: false,
    jump: false,
    salvage: { view: seekable ? view : undefined },
    onFile: () => undefined,
  });
  for (let at = 0; ;) {
    if (at >= bytes.length) {
      const again = seekable ? lane.endReached() : 0;
      if (again === 0) break;
      at -= again;
    }
    const piece = bytes.subarray(at, at + pieceBytes);
    at += piece.length;
    await lane.push(piece);
    if (seekable) at -= lane.takeRewind();
  }
  const errors = await lane.end();
  const { lost } = lane;
  lane.abandon(errors, false);
  return { errors, files: output.files, lost };
}
