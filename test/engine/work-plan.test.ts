/** What pipelines share is all that there is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { layersOf } from '../../dist/codec/stored-layers.js';
import { rawPath, type StoredPath } from '../../dist/format/stored-path.js';
import { Extents } from '../../dist/archive/extents.js';
import type { ArchiveIndex, IndexEntry } from '../../dist/archive/index.js';
import { planWork } from '../../dist/engine/pipeline/work-plan.js';

const MIB = 2 ** 20;

function entryOf(ordinal: number, chunks: number, chunkBytes: number): IndexEntry {
  const extents = new Extents();
  // Interleaved with others, and in no order.
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    extents.add(ordinal + chunk * 1000, ((chunk * 7) % chunks) * chunkBytes);
  }
  return {
    ...{
      path: rawPath(`f${ordinal}`),
      contentPath: rawPath(`f${ordinal}`),
      ordinal,
      bytes: chunks * chunkBytes,
      chunks: chunks + 1,
    },
    ...{ sparse: false, complete: true, archiveOffset: ordinal, content: undefined },
    extents: chunks === 0 ? undefined : extents,
  };
}

function indexOf(entries: IndexEntry[]): ArchiveIndex {
  const chunks = entries.reduce((sum, entry) => sum + entry.chunks, 0);
  const archiveBytes = entries.reduce((sum, { bytes }) => sum + bytes, 0) + chunks * 100;
  const problems = { problems: [], problemCount: 0, leftOut: new Set<StoredPath>(), earlier: [], wrappers: [] };
  return { entries, corrections: [], history: [], chunks, archiveBytes, ...problems };
}

const sizes = fc.array(fc.tuple(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 12 * MIB })), {
  minLength: 1,
  maxLength: 6,
});

test('large files are cut into parts that hold every chunk once, and each in the order of the file', () => {
  fc.assert(
    fc.property(sizes, (files) => {
      const entries = files.map(([chunks, chunkBytes], ordinal) => entryOf(ordinal, chunks, chunkBytes));
      const { files: parts } = planWork(indexOf(entries), 0, true, 2)!;
      for (const entry of entries) {
        const own = parts.filter(({ ordinal }) => ordinal === entry.ordinal);
        const chunks = own.flatMap(({ extents }) => [...(extents?.inFileOrder() ?? [])]);
        assert.deepEqual(chunks.sort(), [...(entry.extents?.inFileOrder() ?? [])].sort());
        assert.ok(own.every(({ bytes, extents }) => bytes <= 64 * MIB || extents!.length === 1));
      }
    }),
  );
});

test('files that are written are not cut, and the largest comes first', () => {
  const entries = [entryOf(0, 2, MIB), entryOf(1, 200, MIB), entryOf(2, 0, 0)];
  assert.deepEqual(
    planWork(indexOf(entries), 0, false, 2)!.files.map(({ ordinal }) => ordinal),
    [1, 0, 2],
  );
});

test('files whose final names touch each other are for one pipeline', () => {
  const plan = (...names: string[]): unknown => {
    const entries = names.map((name, ordinal) => ({ ...entryOf(ordinal, 2, MIB), path: rawPath(name) }));
    const finalNameOf = (path: StoredPath): StoredPath =>
      layersOf(path, { decompress: true, decrypt: false }).finalName;
    return planWork(indexOf(entries), 0, false, 2, finalNameOf);
  };
  assert.ok(plan('a.zst', 'b', 'd/a', 'x.xbcrypt') !== undefined);
  assert.equal(plan('a.zst', 'b', 'a'), undefined, 'two of one name');
  assert.equal(plan('a.zst', 'a/b'), undefined, 'a file, and a directory');
  assert.equal(plan('d/.t.partial.zst', 'd/t'), undefined, 'as another is called while it grows');
  assert.equal(plan('d/.qp', 'b'), undefined, 'nothing but a suffix');
});

test('what would keep one pipeline busy alone is made together', () => {
  const stragglers = (pipelines: number, ...sizes: number[]): number[] => {
    const entries = sizes.map((mib, ordinal) => entryOf(ordinal, mib, MIB));
    return [...planWork(indexOf(entries), 0, false, pipelines)!.stragglers];
  };
  assert.deepEqual(stragglers(2, 200, 200, 200, 200), [3], 'the last of equals');
  assert.deepEqual(stragglers(2, 500, 100, 100), [0, 2], 'one that is larger than the others together');
  assert.deepEqual(stragglers(4, 500, 300, 100), [0, 1, 2]);
  assert.deepEqual(stragglers(1, 500), [], 'there is nobody else');
  assert.deepEqual(stragglers(2, 20, 10), [], 'nothing small');
});
