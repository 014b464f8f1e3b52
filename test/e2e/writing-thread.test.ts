/** With two threads and with one the same comes out, of good archives and of bad ones: large enough for the second to begin. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { archive, end, file, noise, payload, remove, rename, rewriting, sparse } from '../helpers/archive-bytes.js';
import { run, type RunResult, type Stdin } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { inTurn, isRoot, sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf, writeTree, type Tree } from '../helpers/tree.js';

const MIB = 2 ** 20;
/** The second thread begins after 4 MiB. */
const LEAD_IN = noise(5 * MIB);
const leadIn = file('lead-in', LEAD_IN);

type Files = Readonly<Record<string, Buffer | string>>;

/** Unpacks with one thread and with as many as share all writing, and from a pipe where two threads share only small files. */
async function everyWay(
  context: TestContext,
  bytes: Buffer,
  check: (result: RunResult, target: string) => void,
  {
    before = {},
    args = [],
    makeTarget = () => tempDir(context),
  }: { before?: Files; args?: readonly string[]; makeTarget?: () => string } = {},
): Promise<void> {
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, bytes);
  const ways = [
    { kind: 'file', parallel: ['--parallel', '1'] },
    { kind: 'file', parallel: ['--parallel', '3'] },
    { kind: 'pipe', parallel: ['--parallel', '2'] },
    { kind: 'pipe', parallel: ['--parallel', '3'] },
  ] as const;
  const waits = inTurn(ways).map(async ({ kind, parallel }) => {
    const target = makeTarget();
    writeTree(target, before);
    const stdin: Stdin = kind === 'file' ? { kind, path } : { kind, bytes };
    check(await run(['-x', '-C', target, ...parallel, ...args], { stdin }), target);
  });
  await Promise.all(waits);
}

function assertTree(expected: Tree): (result: RunResult, target: string) => void {
  return (result, target) => {
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), expected);
  };
}

const small: Record<string, Buffer> = Object.fromEntries(
  Array.from({ length: 1200 }, (_, index) => [`d${index % 7}/f${index}`, noise(1 + ((index * 37) % 3000), index)]),
);
const smallFiles = archive(...Object.entries(small).map(([path, content]) => file(path, content)));

test('a target that cannot be used ends the program at once, however large the archive is', async (context) => {
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, archive(leadIn, file('more', LEAD_IN)));
  for (const target of sampled([join(tempDir(context), 'missing'), join(path, 'below'), '/proc/none'], 2)) {
    const { code, stderr } = await run(['-x', '-C', target], { stdin: { kind: 'file', path } });
    assert.equal(code, EXIT.refused, stderr);
  }
});

describe('good archives', () => {
  test('many small files', async (context) => {
    await everyWay(context, archive(leadIn, smallFiles), assertTree(treeOf({ 'lead-in': LEAD_IN, ...small })));
  });

  test('many small files, with --fsync, --manifest and --overwrite', async (context) => {
    const check = assertTree(treeOf({ 'lead-in': LEAD_IN, ...small }));
    const before = { 'd1/f1': 'old', 'lead-in': 'old' };
    await everyWay(context, archive(leadIn, smallFiles), check, { args: ['--overwrite'], before });
    // All of them write the same manifest to the same file, and each of them whole.
    const manifest = join(tempDir(context), 'sums');
    await everyWay(context, archive(leadIn, smallFiles), check, {
      args: ['--fsync', '--overwrite', '--manifest', manifest],
    });
    const target = tempDir(context);
    writeTree(target, { 'lead-in': LEAD_IN, ...small });
    execFileSync('sha256sum', ['--strict', '--quiet', '-c', manifest], { cwd: target, stdio: 'pipe' });
  });

  test('many small files, in a directory far down and in one that others may write to', async (context) => {
    const check = assertTree(treeOf({ 'lead-in': LEAD_IN, ...small }));
    const far = (): string => {
      const target = join(tempDir(context), 'x'.repeat(250), 'y'.repeat(250));
      fs.mkdirSync(target, { recursive: true });
      return target;
    };
    await everyWay(context, archive(leadIn, smallFiles), check, { makeTarget: far });
    const open = (): string => {
      const target = tempDir(context);
      fs.chmodSync(target, 0o777);
      return target;
    };
    await everyWay(context, archive(leadIn, smallFiles), check, { makeTarget: open });
  });

  test('large files, interleaved, sparse and out of order', async (context) => {
    const [a, b, c] = [noise(9 * MIB, 2), noise(7 * MIB + 13, 3), noise(3 * MIB, 4)];
    const holes = Buffer.concat([Buffer.alloc(100_000), c, Buffer.alloc(77)]);
    const bytes = archive(
      leadIn,
      payload('a', 5 * MIB, a.subarray(5 * MIB)),
      payload('b', 0, b.subarray(0, MIB)),
      sparse(
        'c',
        0,
        [
          [100_000, c.length],
          [77, 0],
        ],
        c,
      ),
      payload('a', 0, a.subarray(0, 5 * MIB)),
      file('tiny', 'x'),
      payload('b', MIB, b.subarray(MIB)),
      end('c'),
      end('b'),
      end('a'),
    );
    await everyWay(context, bytes, assertTree(treeOf({ 'lead-in': LEAD_IN, a, b, c: holes, tiny: 'x' })));
  });

  test('corrections of files that were just made', async (context) => {
    const rounds = Array.from({ length: 300 }, (_, index) =>
      archive(
        file(`r${index}`, noise(900, index)),
        file(`gone${index}`, 'x'.repeat(500)),
        remove(`gone${index}`),
        rename(`r${index}`, `d/renamed${index}`),
        rewriting(`d/renamed${index}`, `new ${index}`),
        end(`d/renamed${index}`),
      ),
    );
    const expected = Object.fromEntries(rounds.map((_, index) => [`d/renamed${index}`, `new ${index}`]));
    await everyWay(context, archive(leadIn, ...rounds), assertTree(treeOf({ 'lead-in': LEAD_IN, ...expected })));
  });

  test('stored files that are named like partial ones', async (context) => {
    const pairs = Array.from({ length: 300 }, (_, index) => index);
    const bytes = archive(
      leadIn,
      ...pairs.map((index) => archive(file(`f${index}`, 'x'), file(`.f${index}.partial`, 'y'))),
    );
    const expected = Object.fromEntries(
      pairs.flatMap((index) => [
        [`f${index}`, 'x'],
        [`.f${index}.partial`, 'y'],
      ]),
    );
    await everyWay(context, bytes, assertTree(treeOf({ 'lead-in': LEAD_IN, ...expected })));
  });

  test('partial files of an earlier run in the way', async (context) => {
    const before = Object.fromEntries(
      Object.keys(small)
        .slice(0, 300)
        .map((path) => [path.replace('/', '/.') + '.partial', 'old']),
    );
    await everyWay(context, archive(leadIn, smallFiles), assertTree(treeOf({ 'lead-in': LEAD_IN, ...small })), {
      before,
    });
  });

  test('more open files than the limit', async (context) => {
    const names = Array.from({ length: 700 }, (_, index) => `o${index}`);
    const content = names.map((_, index) => noise(33_000, index));
    const bytes = archive(
      leadIn,
      ...names.map((name, index) => payload(name, 0, content[index]!.subarray(0, 32_900))),
      ...names.map((name, index) => archive(payload(name, 32_900, content[index]!.subarray(32_900)), end(name))),
    );
    const expected = Object.fromEntries(names.map((name, index) => [name, content[index]!]));
    await everyWay(context, bytes, assertTree(treeOf({ 'lead-in': LEAD_IN, ...expected })));
  });
});

describe('errors', () => {
  /** Files that are whole in the archive's order, up to the error, and nothing under any other name. */
  function assertPrefix(target: string, allowed: Files, mustHave: readonly string[]): void {
    const right = treeOf(allowed);
    const names = Object.entries(readTree(target)).filter(([path]) => !/\.partial$|\/$/.test(path));
    for (const [path, content] of names) assert.equal(content, right[path], path);
    for (const path of mustHave)
      assert.ok(
        names.some(([name]) => name === path),
        `${path} is missing`,
      );
  }

  const everything = { 'lead-in': LEAD_IN, ...small };
  const middle = Object.keys(small)[600]!;
  const [firstHalf, secondHalf] = [Object.keys(small).slice(0, 600), Object.keys(small).slice(600)].map((paths) =>
    archive(...paths.map((path) => file(path, small[path]!))),
  );

  test('a duplicate in the middle', async (context) => {
    const bytes = archive(leadIn, firstHalf!, file('lead-in', 'again'), secondHalf!);
    await everyWay(context, bytes, (result, target) => {
      assertEnded(result, EXIT.damaged, /lead-in comes twice/, /601 files are complete/);
      assertPrefix(target, everything, Object.keys(small).slice(0, 600));
      assert.equal(fs.existsSync(join(target, middle)), false);
    });
  });

  test('a checksum in the middle', async (context) => {
    const bad = archive(payload('bad', 0, 'some bytes', { crc: 9 }), end('bad'));
    await everyWay(context, archive(leadIn, firstHalf!, bad, secondHalf!), (result, target) => {
      assertEnded(result, EXIT.damaged, /checksum mismatch in bad/, /left as \.bad\.partial/, /601 files are complete/);
      assertPrefix(target, everything, Object.keys(small).slice(0, 600));
      assert.equal(fs.readFileSync(join(target, '.bad.partial'), 'latin1'), 'some bytes');
    });
  });

  test('a large file whose checksum does not hold', async (context) => {
    const content = noise(12 * MIB, 5);
    await everyWay(context, archive(leadIn, payload('bad', 0, content, { crc: 9 }), end('bad')), (result, target) => {
      assertEnded(result, EXIT.damaged, /checksum mismatch in bad/);
      assert.deepEqual(readTree(target), treeOf({ 'lead-in': LEAD_IN, '.bad.partial': content }));
    });
  });

  test('a file in the way', async (context) => {
    const check = (result: RunResult, target: string): void => {
      assertEnded(result, EXIT.refused, /exists in the target already/);
      assertPrefix(target, { ...everything, [middle]: 'old' }, [middle, ...Object.keys(small).slice(0, 600)]);
    };
    await everyWay(context, archive(leadIn, smallFiles), check, { before: { [middle]: 'old' } });
  });

  test('a directory in the way of a file, with --overwrite', async (context) => {
    const check = (result: RunResult, target: string): void => {
      assertEnded(result, EXIT.refused, /exists in the target already, as a directory[^]*move it away/);
      assertPrefix(target, { ...everything, [`${middle}/x`]: 'old' }, [`${middle}/x`]);
    };
    await everyWay(context, archive(leadIn, smallFiles), check, {
      before: { [`${middle}/x`]: 'old' },
      args: ['--overwrite'],
    });
  });

  test('--json names just the files that have their names', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, archive(leadIn, firstHalf!, file('lead-in', 'again')));
    for (const parallel of inTurn([['--parallel=1'], ['--parallel=3']])) {
      const target = tempDir(context);
      const { code, stdout } = await run(['extract', path, '-C', target, '--json', ...parallel]);
      assert.equal(code, EXIT.damaged);
      const told = [...stdout.matchAll(/"type":"file","path":"([^"]+)"/g)].map((found) => found[1]!).sort();
      assert.deepEqual(told, Object.keys(readTree(target)).sort());
    }
  });

  for (const [name, bytes] of [
    ['small files', archive(leadIn, smallFiles)],
    ['a large file', archive(leadIn, file('large', noise((SOAK ? 40 : 16) * MIB, 9), 10 * MIB))],
    [
      'interleaved large files',
      archive(
        leadIn,
        ...Array.from({ length: SOAK ? 30 : 12 }, (_, index) =>
          payload(`f${index % 3}`, Math.floor(index / 3) * MIB, noise(MIB, index)),
        ),
      ),
    ],
  ] as const) {
    test(`no space left: ${name}`, async (context) => {
      if (!isRoot(context)) return;
      const mountPoint = tempDir(context);
      const unmount = (): void => {
        execFileSync('umount', [mountPoint]);
      };
      const right = treeOf(everything);
      const check = (result: RunResult): void => {
        assertEnded(result, EXIT.refused, /no space left/);
        const tree = readTree(join(mountPoint, 'target'));
        for (const [path, content] of Object.entries(tree)) {
          if (!path.endsWith('.partial')) assert.equal(content, right[path], path);
        }
        assert.ok(tree['lead-in'] !== undefined);
      };
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const inputs = [
        { kind: 'file', path },
        { kind: 'pipe', bytes },
      ] satisfies Stdin[];
      const ways = inputs.flatMap((stdin) => ['1', '3'].map((parallel) => ({ stdin, parallel })));
      for (const { stdin, parallel } of inTurn(ways)) {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', mountPoint]);
        try {
          fs.mkdirSync(join(mountPoint, 'target'));
          check(await run(['-x', '-C', join(mountPoint, 'target'), '--parallel', parallel], { stdin }));
        } finally {
          unmount();
        }
      }
    });
  }
});

describe('--keep-going: news of a file that the other thread is still making', () => {
  /** Of one in a hundred of so many small files. */
  const smallFiles = SOAK ? 4000 : 2000;
  const about = (news: (name: string) => Buffer): Buffer =>
    archive(
      leadIn,
      ...Array.from({ length: smallFiles }, (_, index) => {
        const small = file(`small${index}`, noise(3000, index));
        return index % 100 === 0 ? Buffer.concat([small, news(`told${index}`)]) : small;
      }),
    );
  const toldOf = (target: string): string[] =>
    fs
      .readdirSync(target)
      .filter((name) => name.startsWith('told'))
      .map((name) => fs.readFileSync(join(target, name), 'latin1')[0]!);

  test('more of its content comes: it was not whole, and has no final name', async (context) => {
    const bytes = about((name) =>
      Buffer.concat([file(name, 'A'.repeat(1000)), payload(name, 1000, 'B'.repeat(1000)), end(name)]),
    );
    const check = (result: RunResult, target: string): void => {
      assertEnded(result, EXIT.damaged);
      assert.deepEqual(toldOf(target), []);
      assert.equal(fs.readdirSync(target).filter((name) => name.startsWith('.told')).length, smallFiles / 100);
    };
    await everyWay(context, bytes, check, { args: ['--keep-going'] });
  });

  test('it comes a second time: the later one has the name', async (context) => {
    const bytes = about((name) => Buffer.concat([file(name, 'A'.repeat(1000)), file(name, 'B'.repeat(1000))]));
    const check = (result: RunResult, target: string): void => {
      assertEnded(result, EXIT.damaged);
      assert.deepEqual(toldOf(target), Array<string>(smallFiles / 100).fill('B'));
    };
    await everyWay(context, bytes, check, { args: ['--keep-going'] });
  });
});
