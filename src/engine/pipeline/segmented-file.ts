/**
 * A large file that several pipelines make together, each in segments: plain files are cut between chunks, LZ4 and zstd
 * between frames. Where a segment of zstd goes is foretold by the first one, since xtrabackup makes frames of equal input and
 * does not say how large it is; where that was wrong the file is made again, in one go.
 */
import type { IndexEntry } from '../../archive/index.js';
import type { ExtentReader, Extents } from '../../archive/extents.js';
import type { LayerName } from '../../codec/codec.js';
import { hasFrames } from '../../codec/frame-walk.js';
import { PageHoles, spaceLayoutOf, storesZerosOfHoles, type SpaceLayout } from '../../codec/page-holes.js';
import type { StoredPath } from '../../format/stored-path.js';
import { isLendable, type Output, type OutputFile } from '../../output/output.js';
import type { Decoding } from '../decoding/decoding.js';
import { ofFile } from '../decoding/file-error.js';
import { cutsOf, placed, readSegment, type FoundCut } from './segments.js';
import { SEGMENTS_MAX, type Joined, type Segment, type SharedFiles } from './shared-files.js';
import type { WorkBoard } from './work-board.js';

/** No file is as long: where frames foretell that, they are made in one go. */
const MADE_BYTES_MAX = 2 ** 42;

/** What a pipeline makes files with. */
export interface Workshop {
  extents: ExtentReader;
  output: Output;
  decoding: Decoding | undefined;
  board: WorkBoard;
  /** Where large files are made together. */
  shared: SharedFiles;
  /** Called with how many bytes of the archive were taken. May throw to end it. */
  onProgress: (bytes: number) => void;
}

/** What there is to know of a stored file. */
interface Stored {
  path: StoredPath;
  extents: Extents;
  layer: LayerName | undefined;
  /** The name it has when the layer is undone. */
  finalName: StoredPath;
}

export class SegmentedFile {
  readonly file: OutputFile;
  readonly #stored: Stored;
  readonly #cuts: readonly FoundCut[];
  readonly #workshop: Workshop;

  private constructor(stored: Stored, cuts: readonly FoundCut[], workshop: Workshop) {
    this.#stored = stored;
    this.#cuts = cuts;
    this.#workshop = workshop;
    this.file = workshop.output.open(stored.finalName);
  }

  /**
   * Begins a file in the output.
   *
   * @returns undefined where it cannot be made in segments; then nothing was begun
   * @throws XbstreamError what {@link Output.open} throws
   */
  static of(entry: IndexEntry, workshop: Workshop): SegmentedFile | undefined {
    const stored = storedFile(entry, workshop);
    if (stored === undefined || entry.sparse || !stored.extents.areInFileOrder) return undefined;
    // A chunk without content is part of no segment, and its checksum has to be held, too.
    if (!stored.extents.allBringContent(entry.bytes)) return undefined;
    const cuts = cutsOf(stored, entry.bytes, workshop.extents, SEGMENTS_MAX);
    return cuts && new SegmentedFile(stored, cuts, workshop);
  }

  /**
   * Makes all segments that nobody else takes, and waits for those that others have taken.
   *
   * @param number its place in the plan
   * @returns the size of the file in bytes; `again` when it is to be made in one go, and nothing of it is written; `stopped`
   *   when another pipeline has failed
   * @throws whatever is wrong with it
   */
  async make(number: number): Promise<number | 'again' | 'stopped'> {
    const { file } = this;
    const { shared, board } = this.#workshop;
    if (!isLendable(file)) return 'again';
    const { firstBytes, space } = await this.#first();
    const cuts = placed(this.#cuts, firstBytes);
    if (cuts.at(-1)!.made > MADE_BYTES_MAX) {
      file.restart();
      return 'again';
    }
    const descriptor = file.lend(() => shared.close(), space && cuts.at(-1)!.made);
    const { pageBytes = 0, compression } = space ?? {};
    const offered = shared.offer({ file: number, descriptor, cuts, pageBytes, isMariadb: compression === 'mariadb' });
    offered.made({ number: 0, from: cuts[0]!, to: cuts[1]! }, firstBytes);
    try {
      await makeSegments(this.#stored, offered, space, file, this.#workshop);
    } finally {
      shared.close();
    }
    const lengths = cuts.slice(1).map((_, segment) => shared.madeBytes(segment));
    // The pipeline that has not made the segment it took says why.
    if (!lengths.every((bytes) => bytes !== undefined)) board.stop();
    if (board.isStopped) return 'stopped';
    const ends = lengths.map((bytes, segment) => cuts[segment]!.made + bytes!);
    const isLengthKnown = this.#cuts.at(-1)!.made !== undefined;
    const foretold = isLengthKnown ? ends : ends.slice(0, -1);
    const areRight = foretold.every((end, segment) => end === cuts[segment + 1]!.made);
    if (areRight) return ends.at(-1)!;
    file.restart();
    return 'again';
  }

  /** Makes segments of a file that another pipeline offers. @throws whatever is wrong with it */
  static async help(entry: IndexEntry, joined: Joined, workshop: Workshop): Promise<void> {
    const stored = storedFile(entry, workshop);
    const { pageBytes, isMariadb, descriptor } = joined;
    const space: SpaceLayout | undefined =
      pageBytes === 0 ? undefined : { pageBytes, compression: isMariadb ? 'mariadb' : 'mysql' };
    const file = workshop.output.borrow!(stored!.finalName, descriptor);
    await makeSegments(stored!, joined, space, file, workshop);
  }

  /** Makes the first segment. @returns how long it became, and what pages it tells of */
  async #first(): Promise<{ firstBytes: number; space: SpaceLayout | undefined }> {
    const { extents, output } = this.#workshop;
    const { layer } = this.#stored;
    const write = (fileOffset: number, bytes: Buffer): void => this.file.write(bytes, fileOffset);
    let pages = new PageHoles(output.blockBytes, write);
    if (layer === undefined) {
      const head = Buffer.from(extents.glance(this.#stored.extents, 0, 64));
      const space = storesZerosOfHoles(head) === true ? spaceLayoutOf(head) : undefined;
      pages = new PageHoles(output.blockBytes, write, { fileOffset: 0, space });
    }
    const segment = { from: { stored: 0, made: 0 }, to: { stored: this.#cuts[1]!.stored, made: 0 } };
    await pushSegment(this.#stored, segment, pages, this.#workshop);
    return { firstBytes: pages.fileBytes, space: pages.space };
  }
}

/** What a stored file is made of; undefined where it has no segments. */
function storedFile({ path, extents }: IndexEntry, { decoding, output }: Workshop): Stored | undefined {
  const { layers, finalName } = decoding?.layersOf(path) ?? { layers: [], finalName: path };
  const [layer, ...inner] = layers;
  if (extents === undefined || output.borrow === undefined || inner.length > 0) return undefined;
  return layer === undefined || hasFrames(layer) ? { path, extents, layer, finalName } : undefined;
}

/** Makes segments, as long as there are any that nobody else has taken. */
async function makeSegments(
  stored: Stored,
  offered: Omit<Joined, 'leave'>,
  space: SpaceLayout | undefined,
  file: Pick<OutputFile, 'write'>,
  workshop: Workshop,
): Promise<void> {
  const { board, output } = workshop;
  for (let segment = offered.take(); segment !== undefined && !board.isStopped; segment = offered.take()) {
    const fileOffset = segment.from.made;
    const write = (offset: number, bytes: Buffer): void => file.write(bytes, offset);
    const pages = new PageHoles(output.blockBytes, write, { fileOffset, space });
    await pushSegment(stored, segment, pages, workshop);
    offered.made(segment, pages.fileBytes - fileOffset);
  }
}

async function pushSegment(
  { path, extents, layer }: Stored,
  segment: Pick<Segment, 'from' | 'to'>,
  pages: PageHoles,
  { extents: reader, output, decoding, onProgress }: Workshop,
): Promise<void> {
  try {
    await readSegment(
      segment,
      extents,
      reader,
      layer === undefined
        ? { push: (piece) => pages.push(piece), end: () => undefined, close: () => undefined }
        : decoding!.chainFrom(layer, segment.from.stored, (piece) => pages.push(piece)),
      (bytes) => {
        output.endStep();
        onProgress(bytes);
      },
    );
  } catch (error) {
    throw ofFile(error, path);
  }
}
