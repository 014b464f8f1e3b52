import * as fs from 'node:fs';
import * as os from 'node:os';
import { promisify } from 'node:util';
import { CHUNK_MAGIC, chunkEnd, decodeChunkHeader, MAX_HEADER_BYTES } from '../format/chunk.js';
import { positionOf, type InputChoice, type SystemInputChoice } from '../input/open-source.js';
import { DEFAULT_THREADS_MAX } from './decoding-setup.js';
import { inputSize } from '../input/input-size.js';

/** Of a smaller archive all is done before another thread has started. */
const ARCHIVE_BYTES_MIN = 64 * 1024 * 1024;
/** With smaller chunks on average more is spent on the way to each than on what is in it: such archives are read in one go. */
export const CHUNK_BYTES_MIN = 128 * 1024;
/** How many chunks are looked at to find out. */
const SAMPLE_CHUNKS = 16;

const open = promisify(fs.open);
const close = promisify(fs.close);
const read = promisify(fs.read);

/**
 * How many pipelines may share the files of an archive; 1 where that does not pay.
 *
 * @param parallel most threads, if somebody has said so
 */
export async function pipelineCount(input: InputChoice, parallel: number | undefined): Promise<number> {
  const count = parallel ?? Math.min(os.availableParallelism(), DEFAULT_THREADS_MAX);
  if (count < 2 || (input.kind !== 'path' && input.kind !== 'descriptor')) return Math.min(count, 1);
  if ((inputSize(input) ?? 0) < ARCHIVE_BYTES_MIN) return 1;
  return (await hasLargeChunks(input)) ? count : 1;
}

/** Whether a file begins as an archive does that is not wrapped in anything. */
export function beginsWithChunk(input: InputChoice): Promise<boolean> {
  if (input.kind === 'ring' || input.kind === 'named-pipes') return Promise.resolve(false);
  const first = input.kind === 'parts' ? ({ kind: 'path', path: input.paths[0]! } as const) : input;
  return looksAt(first, async (readAt) => (await readAt(0)).toString('latin1', 0, CHUNK_MAGIC.length) === CHUNK_MAGIC);
}

/** Whether the first chunks of an archive are large. */
function hasLargeChunks(input: SystemInputChoice): Promise<boolean> {
  return looksAt(input, async (readAt) => {
    let archiveOffset = 0;
    let chunks = 0;
    for (; chunks < SAMPLE_CHUNKS; chunks += 1) {
      const head = await readAt(archiveOffset);
      const header = decodeChunkHeader(head, 0, head.length, archiveOffset);
      if (header === undefined) break;
      archiveOffset = chunkEnd(header);
    }
    return archiveOffset >= chunks * CHUNK_BYTES_MIN;
  });
}

/** Looks at a file as somebody likes. Not read in one go: this thread has other things to do. */
async function looksAt(
  input: SystemInputChoice,
  look: (readAt: (archiveOffset: number) => Promise<Buffer>) => Promise<boolean>,
): Promise<boolean> {
  let fd: number | undefined;
  try {
    const opened = input.kind === 'path' ? await open(input.path, 'r') : input.fd;
    fd = opened;
    const start = positionOf(input, fd);
    const head = Buffer.alloc(MAX_HEADER_BYTES);
    return await look(async (archiveOffset) => {
      const { bytesRead } = await read(opened, head, 0, head.length, start + archiveOffset);
      return head.subarray(0, bytesRead);
    });
  } catch {
    // Whoever reads it in earnest will say what is wrong.
    return false;
  } finally {
    if (fd !== undefined && input.kind === 'path') await close(fd);
  }
}
