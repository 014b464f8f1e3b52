/** A thread that reads a pipe, has files made of the first bytes that come, and is ended before it has taken them. */
import { setTimeout as passed } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { PipeSource } from '../../dist/input/pipe.js';
import { PIECE_ROOM_BYTES } from '../../dist/input/source.js';
import { WriteQueue } from '../../dist/output/writing/write-queue.js';

const { fd, target, files, fileBytes } = workerData;

function offer(queue, bytes, name) {
  const paths = { partialPath: `${target}/.${name}`, finalPath: `${target}/${name}`, replace: false };
  return queue.offerFile(bytes, paths, () => undefined);
}

const queue = new WriteQueue(PIECE_ROOM_BYTES, 3);
queue.start();
const room = queue.nextPiece();
// Before its thread is there nothing is taken.
while (offer(queue, room.subarray(0, 1), 'first') === undefined) await passed(10);
queue.waitFor();
await new PipeSource(fd, 'a pipe').run({
  room: () => queue.nextPiece(),
  lastPieceIsSafe: () => queue.lastPieceIsSafe(),
  push: (piece) => {
    for (let at = 0; at < files; at += 1) offer(queue, piece.subarray(at * fileBytes, (at + 1) * fileBytes), `f${at}`);
    process.exit();
  },
  skippableBytes: 0,
  skip: () => undefined,
});
