/** What MariaDB's own program writes we unpack, and what it unpacks is what we unpack. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { archive, end, file, noise, payload, remove, rename, rewriting } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, writeTree, type Tree } from '../helpers/tree.js';

const MIB = 2 ** 20;

function hasMbstream(context: TestContext): boolean {
  return hasProgram(context, 'mbstream', 'mariadb-backup');
}

/** An archive of files, made by mbstream. */
function mbstreamOf(context: TestContext, source: string, names: readonly string[]): string {
  const path = join(tempDir(context), 'archive.mbs');
  const out = fs.openSync(path, 'w');
  execFileSync('mbstream', ['-c', ...names], { cwd: source, stdio: ['ignore', out, 'pipe'] });
  fs.closeSync(out);
  return path;
}

function unpackedByMbstream(context: TestContext, path: string): Tree {
  const target = tempDir(context);
  const stdin = fs.openSync(path, 'r');
  const { status, stderr } = spawnSync('mbstream', ['-x', '-C', target], { stdio: [stdin, 'ignore', 'pipe'] });
  fs.closeSync(stdin);
  assert.equal(status, 0, stderr.toString());
  return readTree(target);
}

async function unpackedByUs(context: TestContext, path: string): Promise<Tree> {
  const target = tempDir(context);
  assertEnded(await run(['-x', '-C', target], { stdin: { kind: 'file', path } }), EXIT.ok);
  return readTree(target);
}

describe('what mbstream -c writes', () => {
  for (const [name, files] of [
    [
      'sizes around its chunks',
      Object.fromEntries(
        [0, 1, 4095, 4096, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1, 20 * MIB, 21 * MIB].map((size, index) => [
          `size-${size}`,
          noise(size, index + 1),
        ]),
      ),
    ],
    ['a single empty file', { empty: '' }],
    ['many small files', Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`f${index}`, `${index}`]))],
    [
      'files in directories',
      { 'db1/t1.ibd': noise(50_000), 'db1/t1.frm': 'x', 'db2/t@002d.MYD': '', ibdata1: noise(9), README: 'x' },
    ],
    ['names that are no UTF-8', { 'caf\xe9': 'x', '\xff': 'y', ' ': 'z' }],
  ] as const) {
    test(name, async (context) => {
      if (!hasMbstream(context)) return;
      const source = tempDir(context);
      writeTree(source, files);
      // The names go by a shell, since Node would make UTF-8 of them.
      const list = join(tempDir(context), 'list');
      fs.writeFileSync(
        list,
        Object.keys(files)
          .map((path) => `${path}\0`)
          .join(''),
        'latin1',
      );
      const path = join(tempDir(context), 'archive.mbs');
      const command = 'xargs -0 -a "$1" mbstream -c > "$2"';
      execFileSync('sh', ['-c', command, 'sh', list, path], { cwd: source, stdio: ['ignore', 'ignore', 'pipe'] });
      assert.deepEqual(await unpackedByUs(context, path), readTree(source));
    });
  }
});

/** Percona's sparse chunks mbstream does not know. */
const READABLE = FIXTURE_NAMES.filter((name) => !name.includes('sparse'));

describe('what mbstream -x makes of an archive', () => {
  for (const name of sampled(READABLE, 20, 3)) {
    test(name, async (context) => {
      if (!hasMbstream(context)) return;
      const { bytes } = fixture(name);
      // It stops, and says success, where directories are nested.
      if (bytes.includes('a/b/c/deep.txt')) return;
      const path = join(tempDir(context), 'archive.xbs');
      fs.writeFileSync(path, bytes);
      assert.deepEqual(await unpackedByUs(context, path), unpackedByMbstream(context, path));
    });
  }

  const cases = [
    ['D of a file', archive(file('a', '1'), file('b', '2'), remove('a'))],
    ['D of a missing file', archive(file('a', '1'), remove('b'))],
    ['R of a file', archive(file('a', '1'), rename('a', 'b'))],
    ['R of a file onto another', archive(file('a', '1'), file('b', '2'), rename('a', 'b'))],
    ['R of a missing file onto another', archive(file('b', '2'), rename('a', 'b'))],
    ['D, and the path anew', archive(file('a', '1'), remove('a'), file('a', '2'))],
    ['P that rewrites', archive(file('a', 'long before'), rewriting('a', '2'), end('a'))],
    [
      'P that rewrites, in two chunks',
      archive(file('a', 'before'), rewriting('a', '2'), payload('a', 1, '3'), end('a')),
    ],
    [
      'interleaved files',
      archive(payload('a', 0, 'a'), payload('b', 0, 'b'), payload('a', 1, 'A'), end('b'), end('a')),
    ],
    ['an end chunk alone', archive(end('a'), file('d/b', '2'))],
    ['a chunk of 30 MiB', archive(file('a', noise(30 * MIB)))],
  ] as const;
  for (const [name, bytes] of sampled(cases, 3)) {
    test(name, async (context) => {
      if (!hasMbstream(context)) return;
      const path = join(tempDir(context), 'archive.xbs');
      fs.writeFileSync(path, bytes);
      assert.deepEqual(await unpackedByUs(context, path), unpackedByMbstream(context, path));
    });
  }
});

test('sha256sum reads the manifest of what mbstream wrote', async (context) => {
  if (!hasMbstream(context)) return;
  const source = tempDir(context);
  writeTree(source, { 'd/a': noise(30_000), b: '' });
  const [target, manifest] = [tempDir(context), join(tempDir(context), 'sums')];
  const path = mbstreamOf(context, source, ['d/a', 'b']);
  assertEnded(await run(['extract', '-q', path, '-C', target, '--manifest', manifest]), EXIT.ok);
  execFileSync('sha256sum', ['--strict', '-c', manifest], { cwd: target, stdio: 'pipe' });
});
