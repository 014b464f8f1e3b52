/** The thread that reads ahead: does the one job that is asked for, again and again. */
import { workerData } from 'node:worker_threads';
import { readChunk, ReadAheadMemory } from './read-ahead.js';

const { chunk, fields } = workerData as Pick<ReadAheadMemory, 'chunk' | 'fields'>;
const memory = new ReadAheadMemory(chunk, fields);
const room = Buffer.from(chunk);
memory.presence.announce();

function serve(): void {
  const { fd, fileOffset, wantedBytes } = memory.job;
  try {
    const { bytes, crc } = readChunk(fd, room, fileOffset, wantedBytes, () => undefined);
    memory.answer(bytes.length, crc);
  } catch {
    // It is read again by the other thread, which can tell.
    memory.state = ReadAheadMemory.FAILED;
  }
}

if (memory.state === ReadAheadMemory.STARTING) memory.state = ReadAheadMemory.IDLE;
for (;;) {
  const { state } = memory;
  if (state === ReadAheadMemory.QUIT) break;
  if (state === ReadAheadMemory.ASKED) serve();
  else memory.waitWhile(state);
}
