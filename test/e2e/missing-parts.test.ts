/** Where a package is missing or does not load, or there is no room for WebAssembly, what can be done otherwise is. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { readTree, type Tree } from '../helpers/tree.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURES = join(PROJECT, 'test/fixtures/percona');
const hasOwnZstd = 'createZstdDecompress' in zlib;

interface Outcome {
  code: number | null;
  stderr: string;
  tree: Tree;
}

/** @param project where the program is installed @param wrapper words before `node` */
function extract(context: Cleanup, fixture: string, project = PROJECT, wrapper: readonly string[] = []): Outcome {
  const target = tempDir(context);
  const words = ['--decompress', '--decrypt=AES256', `--encrypt-key-file=${join(FIXTURES, 'key.AES256')}`, '-q'];
  const [command, ...args] = [
    ...wrapper,
    ...[
      process.execPath,
      join(project, 'bin/tsxbstream.js'),
      'extract',
      join(FIXTURES, fixture),
      '-C',
      target,
      ...words,
    ],
  ];
  const { status, stderr } = spawnSync(command!, args, { encoding: 'utf8' });
  return { code: status, stderr, tree: readTree(target) };
}

/** Installs the program as it is, but for one package. @param broken what the package does instead of being missing */
function installWithout(context: Cleanup, hidden: string, broken?: string): string {
  const project = tempDir(context);
  for (const name of ['bin', 'dist', 'package.json']) {
    fs.cpSync(join(PROJECT, name), join(project, name), { recursive: true });
  }
  const { dependencies } = JSON.parse(fs.readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const place = join(project, 'node_modules', name);
    fs.mkdirSync(dirname(place), { recursive: true });
    if (name !== hidden) {
      fs.symlinkSync(join(PROJECT, 'node_modules', name), place);
    } else if (broken !== undefined) {
      fs.mkdirSync(place);
      fs.writeFileSync(join(place, 'index.js'), broken);
    }
  }
  return project;
}

const WHOLE = ['base-lz4-AES256.xbs', 'base-qp-AES256.xbs', 'base-zstd-AES256.xbs', 'frames-lz4-NONE.xbs'];

test('nothing that is needed to unpack is missing where only the dependencies are installed', (t) => {
  const project = installWithout(t, 'none of them');
  for (const fixture of sampled(WHOLE, 2)) {
    assert.deepEqual(extract(t, fixture, project), { code: 0, stderr: '', tree: extract(t, fixture).tree }, fixture);
  }
});

test('without @node-rs/crc32, or with one that does not load, checksums are checked by what Node has', (t) => {
  for (const broken of inTurn([undefined, "throw new Error('cannot open shared object file')"])) {
    const project = installWithout(t, '@node-rs/crc32', broken);
    const right = extract(t, 'base-none-AES256.xbs');
    assert.deepEqual(extract(t, 'base-none-AES256.xbs', project), { code: 0, stderr: '', tree: right.tree });
    const damagedPath = join(tempDir(t), 'damaged.xbs');
    const bytes = fs.readFileSync(join(FIXTURES, 'base-none-AES256.xbs'));
    bytes[200]! ^= 1;
    fs.writeFileSync(damagedPath, bytes);
    const { status } = spawnSync(process.execPath, [join(project, 'bin/tsxbstream.js'), 'verify', damagedPath]);
    assert.equal(status, 3);
  }
});

test('without @mongodb-js/zstd, or with one that does not load, Node does it, or it is said what to do', (t) => {
  const failure = "throw Object.assign(new Error('no'), { code: 'ERR_DLOPEN_FAILED' })";
  for (const broken of inTurn([undefined, failure])) {
    const project = installWithout(t, '@mongodb-js/zstd', broken);
    for (const fixture of ['base-zstd-AES256.xbs', 'big-zstd-NONE.xbs']) {
      const { code, stderr, tree } = extract(t, fixture, project);
      if (hasOwnZstd) {
        assert.deepEqual({ code, stderr, tree }, { code: 0, stderr: '', tree: extract(t, fixture).tree });
        continue;
      }
      assert.equal(code, 1, stderr);
      assert.match(stderr, /zstd cannot be decoded: the package @mongodb-js\/zstd is missing, or does not load/);
      assert.match(stderr, /npm ci/);
      assert.doesNotMatch(stderr, /bug/);
    }
    // What needs none is not concerned.
    assert.equal(extract(t, 'base-lz4-AES256.xbs', project).code, 0);
  }
});

test('a part without which nothing works is no bug', (t) => {
  const project = installWithout(t, 'none of them');
  fs.rmSync(join(project, 'dist/program/parse-verb.js'));
  const { code, stderr } = extract(t, 'base-none-AES256.xbs', project);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^tsxbstream: a part of the program is missing\n {2}Error: Cannot find module '.*parse-verb.js'/,
  );
  assert.match(stderr, /npm ci/);
  assert.doesNotMatch(stderr, /bug/);
});

test('where addresses are limited (ulimit -v) LZ4 and qpress are decoded without WebAssembly', (t) => {
  for (const fixture of sampled(WHOLE, 2, 1)) {
    const limited = extract(t, fixture, PROJECT, ['sh', '-c', 'ulimit -v 4000000; exec "$@"', 'sh']);
    assert.deepEqual(limited, { code: 0, stderr: '', tree: extract(t, fixture).tree }, fixture);
  }
});
