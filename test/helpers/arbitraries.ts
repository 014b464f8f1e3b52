import fc from './fast-check.js';
import { archive, end, noise, payload, remove, rename, seek, sparse, type MapPair } from './archive-bytes.js';
import { qpressFile, xbcryptFile } from './layer-writers.js';
import { positions, type Step } from './model.js';

/** A file that an archive is to hold, and its chunks in the order in which they come, the end chunk last. */
export interface PlannedFile {
  path: string;
  content: Buffer;
  chunks: readonly Buffer[];
}

const NAMES = ['a', 'b', 'db1/t1.ibd', 'db1/t2#P#p0.ibd', 'x/y/z', 'caf\xe9', '.a.partial', 'ibdata1', '\xff/\xfe'];

/** A file that is cut at random places into chunks of random order. */
function plainFile(path: string): fc.Arbitrary<PlannedFile> {
  return fc
    .record({
      length: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 6000 })),
      seed: fc.nat(),
      cuts: fc.array(fc.nat({ max: 6000 }), { maxLength: 6 }),
      order: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
    })
    .map(({ length, seed, cuts, order }) => {
      const content = noise(length, seed);
      const bounds = [0, ...cuts.filter((cut) => cut < length).sort((a, b) => a - b), length];
      const pieces = bounds.slice(1).map((to, index) => {
        const from = bounds[index]!;
        return { rank: order[index]!, bytes: payload(path, from, content.subarray(from, to)) };
      });
      const chunks = pieces.sort((a, b) => a.rank - b.rank).map(({ bytes }) => bytes);
      return { path, content, chunks: [...(length === 0 ? [] : chunks), end(path)] };
    });
}

/** A file of sparse chunks, with holes before, between and after its data. */
function sparseFile(path: string): fc.Arbitrary<PlannedFile> {
  const pair = fc.tuple(fc.nat({ max: 5000 }), fc.nat({ max: 300 }));
  return fc.array(fc.array(pair, { maxLength: 5 }), { minLength: 1, maxLength: 4 }).map((maps) => {
    let content = Buffer.alloc(0);
    const chunks = maps.map((map: readonly MapPair[], index) => {
      const fileOffset = content.length;
      const data: Buffer[] = [];
      for (const [skip, length] of map) {
        const run = noise(length, index + content.length + 1);
        data.push(run);
        content = Buffer.concat([content, Buffer.alloc(skip), run]);
      }
      return sparse(path, fileOffset, map, Buffer.concat(data));
    });
    return { path, content, chunks: [...chunks, end(path)] };
  });
}

/** Files of random content, and an archive in which their chunks interleave at random. */
export const plannedArchive: fc.Arbitrary<{ files: readonly PlannedFile[]; bytes: Buffer }> = fc
  .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 6 })
  .chain((paths) =>
    fc.record({
      files: fc.tuple(...paths.map((path) => fc.oneof(plainFile(path), sparseFile(path)))),
      turns: fc.array(fc.nat(), { maxLength: 60 }),
    }),
  )
  .map(({ files, turns }) => {
    const queues = files.map(({ chunks }) => [...chunks]);
    const bytes: Buffer[] = [];
    for (let turn = 0; queues.some((queue) => queue.length > 0); turn += 1) {
      const waiting = queues.filter((queue) => queue.length > 0);
      bytes.push(waiting[(turns[turn] ?? 0) % waiting.length]!.shift()!);
    }
    return { files, bytes: Buffer.concat(bytes) };
  });

const path = fc.constantFrom('a', 'b', 'd/c');

const anySteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), path }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('content' as const),
        path,
        content: fc.constantFrom('', 'x', 'some', 'content'),
        rewrites: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('seek' as const), path, by: fc.nat({ max: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), path }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('rename' as const), path, newPath: path }) },
  ),
  { maxLength: 14 },
);

/**
 * What writers may do to three files, sense or nonsense; ends are frequent, so that much of it is sense. A seek is never
 * the last step: by itself, at the end of an archive, it looks like a sparse chunk that was cut short.
 */
export const steps = anySteps.filter((taken) => taken.at(-1)?.kind !== 'seek');

/** Steps after which every file is ended. */
export const endedSteps = anySteps.map((taken) => {
  const open = new Set<string>();
  for (const step of taken) {
    if (step.kind === 'content' || step.kind === 'seek') open.add(step.path);
    if (step.kind === 'end') open.delete(step.path);
  }
  return [...taken, ...[...open].map((openPath) => ({ kind: 'end' as const, path: openPath }))];
});

/** The archive of these steps. */
export function archiveOf(taken: readonly Step[]): Buffer {
  const at = positions(taken);
  return Buffer.concat(
    taken.map((step, index) => {
      switch (step.kind) {
        case 'content':
          return payload(step.path, at[index]!, step.content, { flags: step.rewrites ? 2 : 0 });
        case 'seek':
          return seek(step.path, at[index]! + step.by);
        case 'end':
          return end(step.path);
        case 'remove':
          return remove(step.path);
        case 'rename':
          return rename(step.path, step.newPath);
      }
    }),
  );
}

/** What may happen to an archive on its way. */
export const change = fc.oneof(
  { weight: 3, arbitrary: fc.constant((bytes: Buffer) => bytes) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, bits]) => (bytes: Buffer) => {
      const changed = Buffer.from(bytes);
      if (changed.length > 0) changed[at % changed.length]! ^= bits;
      return changed;
    }),
  },
  { weight: 1, arbitrary: fc.nat().map((at) => (bytes: Buffer) => bytes.subarray(0, at % (bytes.length + 1))) },
  { weight: 1, arbitrary: fc.nat({ max: 40 }).map((more) => (bytes: Buffer) => Buffer.concat([bytes, noise(more)])) },
);

/** What opens {@link layeredArchive}. */
export const LAYERS_KEY = { cipher: 'AES256', bytes: Buffer.from('0123456789abcdef0123456789ABCDEF') } as const;

/** A file with layers, sound or not, whose chunks come in any order, perhaps with a hole behind them. */
const layered = fc
  .record({
    name: fc.constantFrom('a.qp', 'b.ibd.xbcrypt', 'c.qp.xbcrypt', 'd'),
    length: fc.oneof(fc.constant(0), fc.nat({ max: 3000 })),
    cut: fc.nat(),
    isTurned: fc.boolean(),
    hole: fc.constantFrom(undefined, undefined, 0, 5),
    isSound: fc.boolean(),
  })
  .map(({ name, length, cut, isTurned, hole, isSound }) => {
    let content = noise(length, length);
    if (isSound && name.includes('.qp')) content = qpressFile(content);
    if (isSound && name.endsWith('.xbcrypt')) content = xbcryptFile(content, LAYERS_KEY);
    const at = cut % (content.length + 1);
    const parts = [payload(name, 0, content.subarray(0, at)), payload(name, at, content.subarray(at))];
    const holes = hole === undefined ? [] : [seek(name, content.length + hole)];
    return { name, bytes: archive(...(isTurned ? parts.reverse() : parts), ...holes, end(name)) };
  });

export const layeredArchive = fc
  .uniqueArray(layered, { selector: ({ name }) => name, minLength: 1, maxLength: 4 })
  .map((files) => archive(...files.map(({ bytes }) => bytes)));
