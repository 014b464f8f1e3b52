/** Decides whether an archive is shared by pipelines, and by how many. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { chunkEnd, decodeChunkHeader, MAX_HEADER_BYTES } from '../../format/chunk.js';
import { closeRead } from '../../input/close.js';
import { positionOf, type InputChoice, type SystemInputChoice, inputSize } from '../../input/open-source.js';
import { sampleObjects } from '../../input/parts/sample-objects.js';
import { threadCount } from '../../threads/cores.js';

/** From which size on pipelines pay. */
export interface SharingLimits {
  /** Of a smaller archive all is done before another thread has started. */
  archiveBytesMin: number;
  /** With smaller chunks on average more is spent on the way to each than on what is in it: such archives are read in one go. */
  chunkBytesMin: number;
}

export const SHARING_LIMITS: SharingLimits = { archiveBytesMin: 64 * 1024 * 1024, chunkBytesMin: 128 * 1024 };
/** How many chunks are looked at to find out. */
const SAMPLE_CHUNKS = 16;

const open = promisify(fs.open);
const read = promisify(fs.read);

/**
 * How many pipelines may share the files of an archive; 1 where that does not pay.
 *
 * @param parallel most threads, if somebody has said so
 */
export async function pipelineCount(
  input: InputChoice,
  parallel: number | undefined,
  { archiveBytesMin, chunkBytesMin } = SHARING_LIMITS,
): Promise<number> {
  const count = threadCount(parallel);
  if (count < 2 || (input.kind !== 'path' && input.kind !== 'descriptor')) return 1;
  const objects = input.kind === 'path' ? await sampleObjects(input.path, archiveBytesMin) : undefined;
  if (objects !== undefined) {
    const { bytes, count: chunks } = objects;
    return bytes >= archiveBytesMin && bytes >= chunks * chunkBytesMin ? count : 1;
  }
  if ((inputSize(input) ?? 0) < archiveBytesMin) return 1;
  return (await hasLargeChunks(input, chunkBytesMin)) ? count : 1;
}

/** Whether the first chunks of an archive are large. Not read in one go: this thread has other things to do. */
async function hasLargeChunks(input: SystemInputChoice, chunkBytesMin: number): Promise<boolean> {
  let fd: number | undefined;
  try {
    fd = input.kind === 'path' ? await open(input.path, 'r') : input.fd;
    const start = positionOf(input, fd);
    const head = Buffer.alloc(MAX_HEADER_BYTES);
    let archiveOffset = 0;
    let chunks = 0;
    for (; chunks < SAMPLE_CHUNKS; chunks += 1) {
      const { bytesRead } = await read(fd, head, 0, head.length, start + archiveOffset);
      const header = decodeChunkHeader(head, 0, bytesRead, archiveOffset);
      if (header === undefined) break;
      archiveOffset = chunkEnd(header);
    }
    return archiveOffset >= chunks * chunkBytesMin;
  } catch {
    // Whoever reads it in earnest will say what is wrong.
    return false;
  } finally {
    if (fd !== undefined && input.kind === 'path') closeRead(fd);
  }
}
