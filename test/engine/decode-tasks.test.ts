/** What a helping thread that decodes does with what it is told, without a thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HelperAnswer, HelperTask } from '../../dist/engine/decoding/decode-helpers.js';
import { DecodeTasks } from '../../dist/engine/decoding/decode-tasks.js';
import { noise } from '../helpers/archive-bytes.js';
import { qpressFile } from '../helpers/layer-writers.js';

const open = (file: number): HelperTask => ({ kind: 'open', file, layers: ['qpress'], key: undefined });
const push = (file: number, content: Buffer): HelperTask => ({
  kind: 'push',
  file,
  bytes: new Uint8Array(Buffer.from(content)),
});

/** Gives it tasks; what comes out is kept until it is asked for. */
class Told {
  readonly answers: HelperAnswer[] = [];
  readonly #tasks = new DecodeTasks((answer) => this.answers.push(answer));

  tell(...tasks: HelperTask[]): void {
    for (const task of tasks) this.#tasks.take(task);
  }

  get kinds(): string {
    return this.answers.map(({ kind }) => kind).join(' ');
  }

  output(file: number): Buffer {
    const own = this.answers.filter((answer) => answer.kind === 'output').filter((answer) => answer.file === file);
    return Buffer.concat(own.map(({ bytes }) => bytes));
  }
}

test('files by turns: each gets what is its own, and all of it before it has ended', () => {
  const contents = [noise(70_000, 1), noise(300_000, 2)];
  const told = new Told();
  told.tell(open(0), open(1));
  const stored = contents.map((content) => qpressFile(content));
  for (let at = 0; at < stored[1]!.length; at += 9000) {
    for (const file of [0, 1]) {
      const part = stored[file]!.subarray(at, at + 9000);
      if (part.length > 0) told.tell(push(file, part));
    }
  }
  told.tell({ kind: 'end', file: 0 }, { kind: 'end', file: 1 });
  assert.deepEqual([told.output(0), told.output(1)], contents);
  assert.match(told.kinds, /ended$/);
});

test('what cannot be decoded costs its file, once', () => {
  const told = new Told();
  const content = noise(5000, 3);
  told.tell(open(0), open(1), push(0, noise(5000, 4)), push(0, noise(100, 5)), push(1, qpressFile(content)));
  told.tell({ kind: 'end', file: 0 }, { kind: 'end', file: 1 });
  assert.equal(told.answers.filter(({ kind }) => kind === 'failed').length, 1);
  assert.deepEqual(told.output(1), content);
});

test('when too much output is under way it waits, and goes on when memory comes back', () => {
  const content = noise(16 * 2 ** 20, 6);
  const told = new Told();
  told.tell(open(0), push(0, qpressFile(content)), { kind: 'end', file: 0 });
  assert.ok(told.output(0).length <= 5 * 2 ** 20, 'at most 16 pieces of 256 KiB, and what one unit makes');
  assert.ok(!told.kinds.includes('taken'));
  for (let at = 0; at < told.answers.length; at += 1) {
    const answer = told.answers[at]!;
    if (answer.kind === 'output') told.tell({ kind: 'memory', bytes: Buffer.alloc(256 * 1024) });
  }
  assert.ok(told.output(0).equals(content));
  assert.match(told.kinds, /taken ended$/);
});
