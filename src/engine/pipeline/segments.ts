/** A large file in segments, each of which can be made without those before it. */
import type { DecodeChain } from '../../codec/decode-chain.js';
import { frameAt } from '../../codec/frame-walk.js';
import type { LayerName } from '../../codec/codec.js';
import type { ExtentReader, Extents } from '../../archive/extents.js';
import { PIECE_BYTES } from '../../input/source.js';
import type { Cut, Segment } from './shared-files.js';

/** Of the stored file: smaller ones are not worth it, since chunks that lie in two of them are read twice. */
const SEGMENT_BYTES = 32 * 1024 * 1024;
/** Of the stored file: a smaller one is made in one go. */
export const SEGMENTED_BYTES_MIN = 2 * SEGMENT_BYTES;

/** Where a stored file can be cut. */
export interface FoundCut {
  /** In the stored file, in bytes. */
  stored: number;
  /** In the file that is made; undefined where that is not known before those before are decoded. */
  made: number | undefined;
  /** How many frames come before it. */
  frames: number;
}

/**
 * Where a file can be cut. The first segment is as small as can be: what comes out of it tells how to make the others.
 *
 * @param extents in the order of the file, without holes; `layer` is what is to be undone of it, if anything
 * @param storedBytes its size
 * @param most segments
 * @returns where each begins, and the last one ends; undefined where it is to be made in one go
 */
export function cutsOf(
  { extents, layer }: { extents: Extents; layer: LayerName | undefined },
  storedBytes: number,
  reader: ExtentReader,
  most: number,
): FoundCut[] | undefined {
  const segmentBytes = Math.max(SEGMENT_BYTES, Math.ceil(storedBytes / (most - 2)));
  const cuts = layer === undefined ? chunkCuts(extents, storedBytes) : frameCuts(layer, extents, storedBytes, reader);
  const taken: FoundCut[] = [];
  for (const cut of cuts) {
    if (cut === undefined) return undefined;
    const last = taken.at(-1);
    if (taken.length < 2 || cut.stored === storedBytes || cut.stored - last!.stored >= segmentBytes) taken.push(cut);
  }
  return taken.length > 3 ? taken : undefined;
}

function* chunkCuts(extents: Extents, storedBytes: number): Generator<FoundCut> {
  for (let chunk = 0; chunk < extents.length; chunk += 1) {
    const { fileOffset } = extents.at(chunk);
    yield { stored: fileOffset, made: fileOffset, frames: chunk };
  }
  yield { stored: storedBytes, made: storedBytes, frames: extents.length };
}

function* frameCuts(
  layer: LayerName,
  extents: Extents,
  storedBytes: number,
  reader: ExtentReader,
): Generator<FoundCut | undefined> {
  const read = (offset: number, bytes: number): Buffer => reader.glance(extents, offset, bytes);
  let cut: FoundCut = { stored: 0, made: 0, frames: 0 };
  yield cut;
  while (cut.stored < storedBytes) {
    const frame = frameAt(layer, read, cut.stored);
    if (frame === undefined || frame.end > storedBytes) {
      yield undefined;
      return;
    }
    const { end, contentBytes } = frame;
    const made = cut.made === undefined || contentBytes === undefined ? undefined : cut.made + contentBytes;
    cut = { stored: end, made, frames: cut.frames + (contentBytes === 0 ? 0 : 1) };
    yield cut;
  }
}

/**
 * Reads a segment, and holds the checksums of all chunks in it.
 *
 * @param chain is given what is stored, and closed
 * @param afterPiece called after each piece, with how much of the archive was taken
 * @throws what {@link ExtentReader.read} and the chain throw, and what `afterPiece` does
 */
export async function readSegment(
  { from, to }: Pick<Segment, 'from' | 'to'>,
  extents: Extents,
  reader: ExtentReader,
  chain: Pick<DecodeChain, 'push' | 'end' | 'close'>,
  afterPiece: (bytes: number) => void,
): Promise<void> {
  let taken = 0;
  const consumer = {
    take: (bytes: Buffer, fileOffset: number): void => {
      const start = Math.max(0, from.stored - fileOffset);
      const end = Math.min(bytes.length, to.stored - fileOffset);
      if (start >= end) return;
      const piece = bytes.subarray(start, end);
      taken += piece.length;
      chain.push(piece);
    },
    afterPiece: (): undefined => {
      afterPiece(taken);
      taken = 0;
    },
  };
  try {
    const last = extents.chunkOf(to.stored - 1);
    await reader.read(extents.slice(extents.chunkOf(from.stored), last + 1), consumer, PIECE_BYTES);
    chain.end();
  } finally {
    chain.close();
  }
}

/** The cuts with their places in the file that is made; where these are not known, as the first frame foretells them. */
export function placed(cuts: readonly FoundCut[], firstBytes: number): Cut[] {
  return cuts.map(({ stored, made, frames }) => ({ stored, made: made ?? frames * firstBytes }));
}
