/** What an archive may hold any number of costs time that grows with their number, and not with the square of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EntryTable } from '../../dist/archive/entry-table.js';
import { DamageReport } from '../../dist/archive/salvage/damage-report.js';
import { Evidence } from '../../dist/archive/salvage/evidence.js';
import { RereadBudget } from '../../dist/archive/salvage/reread-budget.js';
import { XbstreamError } from '../../dist/errors.js';
import type { ChunkHeader } from '../../dist/format/chunk.js';
import { rawPath } from '../../dist/format/stored-path.js';
import { archive, payload } from '../helpers/archive-bytes.js';
import { SOAK } from '../helpers/programs.js';

/** More files than that cannot be open at a time: each has a range of content. */
const MANY_OPEN = 60_000;
const COMING_TWICE = SOAK ? 150_000 : 60_000;

class Archive {
  readonly table = new EntryTable<never>({ absoluteNames: false, keepsGoing: true });
  readonly damage = new DamageReport(this.table);
  #archiveOffset = 0;

  chunk(type: 'payload' | 'end' | 'remove', name: string): void {
    const head = { path: rawPath(name), flags: 0, archiveOffset: (this.#archiveOffset += 50), headerBytes: 49 };
    const content = { payloadBytes: 1, fileOffset: 0, crc32: 0 };
    const header: ChunkHeader = type === 'payload' ? { type, ...head, ...content } : { type, ...head };
    this.damage.apply(header, type === 'payload' ? 1 : 0);
  }

  whole(name: string): void {
    this.chunk('payload', name);
    this.chunk('end', name);
  }

  many(count: number, what: (name: string) => void, first: string): void {
    for (let number = 0; number < count; number += 1) what(first + number.toString(36).padStart(5, '0'));
  }

  unreadable(): void {
    const error = new XbstreamError('XB_BAD_MAGIC', 'no chunk', { archiveOffset: this.#archiveOffset });
    this.damage.damaged(error, undefined, this.#archiveOffset);
  }
}

/** Done in seconds: what grows with the square takes minutes. */
function soon(work: () => void): void {
  const started = process.cpuUsage();
  work();
  assert.ok(process.cpuUsage(started).user < 20e6);
}

describe('a hostile archive takes no more than its time', () => {
  test('files that never end beside empty ones, with names that are all alike', () => {
    const many = new Archive();
    soon(() => {
      many.many(MANY_OPEN, (name) => many.chunk('payload', name), 'open');
      many.many(MANY_OPEN, (name) => many.chunk('end', name), 'none');
      many.damage.end(2 * MANY_OPEN, false);
    });
    assert.equal(many.damage.count, MANY_OPEN);
  });

  test('thousands of places that cannot be read, among very many files', () => {
    const many = new Archive();
    soon(() => {
      many.many(MANY_OPEN, (name) => many.chunk('payload', name), 'open');
      many.many(3 * MANY_OPEN, (name) => many.chunk('end', name), 'none');
      for (let place = 0; place < 40_000; place += 1) many.unreadable();
    });
    assert.match(many.damage.problems[0]!.details.join(), /open00000, .*, open00004 and 59995 more/);
  });

  test('files that come twice, and removals', () => {
    const many = new Archive();
    many.whole('first'); // which does not come again: else that is a second archive
    soon(() => {
      for (let copy = 0; copy < 2; copy += 1) many.many(COMING_TWICE, (name) => many.whole(name), 'file');
      many.many(COMING_TWICE, (name) => many.chunk('remove', name), 'none');
    });
    assert.equal([...many.table.entries].length, COMING_TWICE + 1);
  });

  test('headers that nothing is to be made of are not all guessed', () => {
    const header = payload('a', 0, 'x');
    header[9] = 'Q'.charCodeAt(0);
    const bytes = archive(header, payload('b', 0, 'x'));
    let looks = 0;
    const view = {
      bytesAt: (at: number, length: number) => {
        looks += 1;
        return bytes.subarray(at, at + length);
      },
      endsAt: (at: number) => at === bytes.length,
    };
    const budget = new RereadBudget(() => bytes.length);
    const evidence = new Evidence(view, budget, {
      byPosition: true,
      absoluteNames: false,
      damage: { entryOf: () => undefined },
    });
    assert.equal(evidence.guess(0)?.confirmed, true);
    for (let count = 0; count < 10_000; count += 1) evidence.guess(0);
    const before = looks;
    assert.equal(evidence.guess(0), undefined);
    assert.equal(looks, before);
  });

  test('chunks of a few bytes with a wrong checksum have not all that follows read again', () => {
    const damaged = payload('a', 0, 'x', { crc: 1 });
    const bytes = archive(...Array.from({ length: 10_000 }, () => damaged));
    let read = 0;
    const view = {
      bytesAt: (at: number, length: number) => {
        const found = bytes.subarray(at, at + length);
        read += found.length;
        return found;
      },
      endsAt: (at: number) => at === bytes.length,
    };
    const options = { byPosition: true, absoluteNames: false, damage: { entryOf: () => undefined } };
    const evidence = new Evidence(view, new RereadBudget(() => bytes.length), options);
    for (let count = 0; count < 100; count += 1) evidence.guess(count * damaged.length, damaged.length);
    assert.ok(read < 10 * bytes.length, `${read} bytes of ${bytes.length}`);
  });
});
