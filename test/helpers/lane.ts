import { Selection } from '../../dist/archive/selection/selection.js';
import { WantedByCurrentName } from '../../dist/archive/selection/wanted-entries.js';
import { Lane } from '../../dist/engine/lane.js';
import { XbstreamError, type XbstreamErrorCode } from '../../dist/errors.js';
import { DirectoryOutput, type DirectoryOutputOptions } from '../../dist/output/directory/directory-output.js';
import { MemoryOutput } from './memory-output.js';
import type { Output } from '../../dist/output/output.js';
import { describeContent, sorted, type Tree } from './tree.js';

export interface LaneOutcome {
  /** Empty when the archive is whole. */
  errors: XbstreamError[];
  /** The codes of the errors. */
  codes: XbstreamErrorCode[];
  /** Stored paths in the order in which they became whole. */
  completed: string[];
  /** Partial files that were left. */
  partials: readonly string[];
}

export interface LaneSettings {
  absoluteNames?: boolean;
  allowEmpty?: boolean;
  include?: readonly string[];
  exclude?: readonly string[];
  removePartial?: boolean;
}

/** Pushes pieces of an archive through a lane of this process into `output`. What is no XbstreamError is a bug: thrown. */
export async function runLane(
  pieces: Iterable<Buffer>,
  output: Output,
  settings: LaneSettings = {},
): Promise<LaneOutcome> {
  const completed: string[] = [];
  const selection = new Selection({ include: settings.include ?? [], exclude: settings.exclude ?? [] });
  const lane = new Lane({
    output,
    decoding: undefined,
    wanted: new WantedByCurrentName(selection, undefined),
    absoluteNames: settings.absoluteNames ?? false,
    allowEmpty: settings.allowEmpty ?? false,
    jump: false,
    onFile: (path) => completed.push(path),
  });
  let errors: XbstreamError[];
  try {
    for (const piece of pieces) {
      const wait = lane.push(piece);
      if (wait !== undefined) await wait;
    }
    errors = await lane.end();
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    errors = [error];
  }
  const left = lane.abandon(errors, settings.removePartial ?? false);
  output.release();
  return { errors: left.errors, codes: left.errors.map(({ code }) => code), completed, partials: left.partials };
}

/** The same into memory. */
export async function runInMemory(
  pieces: Iterable<Buffer> | Buffer,
  settings?: LaneSettings,
): Promise<LaneOutcome & { output: MemoryOutput }> {
  const output = new MemoryOutput();
  const outcome = await runLane(Buffer.isBuffer(pieces) ? [pieces] : pieces, output, settings);
  return { ...outcome, output };
}

/** The same into a directory, in this thread alone. */
export function runInDirectory(
  pieces: Iterable<Buffer> | Buffer,
  target: string,
  options: Partial<DirectoryOutputOptions> = {},
  settings?: LaneSettings,
): Promise<LaneOutcome> {
  const output = new DirectoryOutput({
    input: undefined,
    target,
    createTarget: false,
    allowSymlinks: false,
    existing: 'refuse',
    stripComponents: 0,
    fsync: false,
    owner: undefined,
    hash: false,
    threads: 1,
    archiveBytes: undefined,
    ...options,
  });
  return runLane(Buffer.isBuffer(pieces) ? [pieces] : pieces, output, settings);
}

/** What a memory output holds, as {@link readTree} tells of a directory. */
export function treeInMemory(output: MemoryOutput): Tree {
  return sorted(Object.fromEntries([...output.files].map(([path, content]) => [path, describeContent(content)])));
}

/** Cuts an archive into pieces of one length. */
export function* piecesOf(archive: Buffer, pieceBytes: number): Iterable<Buffer> {
  for (let at = 0; at < archive.length; at += pieceBytes) yield archive.subarray(at, at + pieceBytes);
}

/** Cuts an archive at these places (in any order, repeated ones do no harm). */
export function* cutAt(archive: Buffer, places: readonly number[]): Iterable<Buffer> {
  const bounds = [0, ...[...places].sort((a, b) => a - b), archive.length];
  for (let index = 1; index < bounds.length; index += 1) {
    const piece = archive.subarray(bounds[index - 1], bounds[index]);
    if (piece.length > 0) yield piece;
  }
}
