/** An extraction gives back every descriptor, however it ends: a program that does many would run out of them. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSource } from '../../dist/input/open-source.js';
import { archive, end, file, payload } from '../helpers/archive-bytes.js';
import { piecesOf, runInDirectory } from '../helpers/lane.js';
import { MemoryOutput } from '../helpers/memory-output.js';
import { tempDir } from '../helpers/temp.js';

const skip = process.platform !== 'linux' && 'needs /proc';

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}

test('an output in a directory', { skip }, async (context) => {
  const good = archive(file('a', 'x'), file('d/e/b', 'y'), end('c'));
  const bad = archive(file('a', 'x'), payload('d/e/b', 0, 'y'), payload('f', 0, 'z', { crc: 1 }));
  const run = async (bytes: Buffer): Promise<void> => {
    await runInDirectory(piecesOf(bytes, 10), tempDir(context));
    await runInDirectory(bytes, tempDir(context), {}, { removePartial: true });
    await runInDirectory(bytes, tempDir(context), { existing: 'keep-same-content', hash: true });
  };
  await run(good);
  const before = openDescriptors();
  for (let times = 0; times < 5; times += 1) {
    await run(good);
    await run(bad);
  }
  assert.equal(openDescriptors(), before);
});

test('an input that was opened by its path', { skip }, async (context) => {
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, file('a', 'x'));
  const room = new MemoryOutput().room();
  const sink = { room: () => room, push: () => undefined, skippableBytes: 0, skip: () => undefined };
  const failing = {
    ...sink,
    push: () => {
      throw new Error('enough');
    },
  };
  const before = openDescriptors();
  const source = await openSource({ kind: 'path', path }, () => false);
  await source.run(sink);
  source.close();
  const failed = await openSource({ kind: 'path', path }, () => false);
  await assert.rejects(failed.run(failing));
  failed.close();
  assert.equal(openDescriptors(), before);
});
