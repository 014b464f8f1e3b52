/** A file that pipelines make together is whole only when each segment was made. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedFiles } from '../../dist/engine/pipeline/shared-files.js';

const CUTS = [0, 10, 20, 30].map((at) => ({ stored: at, made: 2 * at }));
const OFFER = { file: 7, descriptor: 99, cuts: CUTS, pageBytes: 4096, isMariadb: true };
const never = (): boolean => false;

function two(): [SharedFiles, SharedFiles] {
  const one = new SharedFiles(2, 0);
  return [one, new SharedFiles(2, 1, one.buffer)];
}

test('each segment is taken once, the first by nobody: it is made when the file is offered', () => {
  const [owner, other] = two();
  owner.begin();
  const offered = owner.offer(OFFER);
  const joined = other.join(never)!;
  assert.deepEqual([joined.file, joined.descriptor, joined.pageBytes, joined.isMariadb], [7, 99, 4096, true]);
  const [first, second] = [joined.take()!, offered.take()!];
  assert.deepEqual(first, { number: 1, from: CUTS[1], to: CUTS[2] });
  assert.deepEqual(second, { number: 2, from: CUTS[2], to: CUTS[3] });
  assert.deepEqual([joined.take(), offered.take()], [undefined, undefined]);
  joined.made(first, 20);
  joined.leave();
  owner.close();
  assert.deepEqual([owner.madeBytes(1), owner.madeBytes(2)], [20, undefined]);
});

test('whoever leaves without what it took, or whose thread has ended, is waited for no longer, and has made nothing', () => {
  const [owner, other] = two();
  owner.begin();
  const offered = owner.offer(OFFER);
  const segment = other.join(never)!.take()!;
  // As the main thread does for a thread that has ended.
  new SharedFiles(2, undefined, owner.buffer).gone(1);
  offered.made(offered.take()!, 20);
  owner.close();
  assert.equal(owner.madeBytes(segment.number), undefined);
});

test('nobody joins what was taken back, and nobody waits where nothing is made any more', () => {
  const [owner, other] = two();
  owner.begin();
  owner.offer(OFFER);
  owner.close();
  let looks = 0;
  assert.equal(
    other.join(() => (looks += 1) > 2),
    undefined,
  );
  owner.end();
  assert.equal(other.join(never), undefined);
});
