/** Large archives in files are unpacked file by file, in several threads: nothing of what is promised changes. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { archive, end, file, noise, payload, remove, sparse } from '../helpers/archive-bytes.js';
import { run, start, type RunResult } from '../helpers/cli.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { readFixture, splitArchive } from '../helpers/mini-xbstream.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled, someOf } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, readTree, treeOf } from '../helpers/tree.js';
import { untilExists } from '../helpers/wait.js';

const MIB = 2 ** 20;
const KEY = { cipher: 'AES256', bytes: Buffer.from('0123456789abcdef0123456789ABCDEF') } as const;
/** Large enough that one pipeline is not thought to be enough. */
const FILES = Object.fromEntries(
  Array.from({ length: 9 }, (_, index) => [`db${index % 2}/t${index}`, noise((index + 4) * MIB, index)] as const),
);

/** The chunks of all files by turns. */
function interleaved(files: Readonly<Record<string, Buffer>>): Buffer[] {
  const chunks: Buffer[] = [];
  const chunkBytes = 3 * MIB;
  for (let at = 0; ; at += chunkBytes) {
    const round = Object.entries(files).filter(([, content]) => at < content.length);
    if (round.length === 0) break;
    for (const [name, content] of round) chunks.push(payload(name, at, content.subarray(at, at + chunkBytes)));
  }
  return [...chunks, ...Object.keys(files).map((name) => end(name))];
}

describe('an archive that several pipelines share', { concurrency: true }, () => {
  let plain: Buffer;
  before(() => {
    plain = archive(...interleaved(FILES), sparse('s', 0, [[2 * MIB, 3]], 'abc'), end('s'), end('db0/empty'));
  });
  const WHOLE = { ...FILES, s: Buffer.concat([Buffer.alloc(2 * MIB), Buffer.from('abc')]), 'db0/empty': '' };

  const [filesTree, wholeTree] = [treeOf(FILES), treeOf(WHOLE)];

  async function unpack(
    context: TestContext,
    bytes: Buffer,
    ...words: readonly string[]
  ): Promise<{ result: RunResult; target: string; path: string }> {
    const directory = tempDir(context);
    const path = join(directory, 'archive.xbs');
    fs.writeFileSync(path, bytes);
    const target = join(directory, 'target');
    const result = await run(['extract', '-q', '--parallel=3', path, '-C', target, ...words]);
    return { result, target, path };
  }

  test('every file has its content, holes and empty ones too', async (context) => {
    const { result, target } = await unpack(context, plain);
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), wholeTree);
    assert.ok(fs.statSync(join(target, 's')).blocks * 512 < MIB, 'the hole is one');
  });

  test('a page-compressed table takes no more disk than with one thread', async (context) => {
    const fixture = readFixture('reports/03-mariadb-page-compressed.xbstream');
    const [[name]] = [...splitArchive(fixture)] as [[string, Buffer]];
    const { result, target } = await unpack(context, archive(...interleaved(FILES), fixture), '--backup=never');
    assertEnded(result, EXIT.ok);
    assert.ok(fs.statSync(join(target, name)).blocks * 512 <= 28 * 1024, 'pages have holes behind them');
  });

  test('from stdin, where it stands', async (context) => {
    const directory = tempDir(context);
    const path = join(directory, 'archive.xbs');
    fs.writeFileSync(path, Buffer.concat([Buffer.alloc(1000, 1), plain]));
    const stdin = { kind: 'file', path, from: 1000 } as const;
    const result = await run(['-x', '-C', directory, '--parallel=2'], { stdin });
    assertEnded(result, EXIT.ok);
    fs.rmSync(path);
    assert.deepEqual(readTree(directory), wholeTree);
  });

  test('layers are undone', async (context) => {
    const layered = Object.fromEntries(
      Object.entries(FILES).map(([name, content], index) =>
        index % 2 === 0 ? [`${name}.qp`, qpressFile(content)] : [`${name}.xbcrypt`, xbcryptFile(content, KEY)],
      ),
    );
    const words = ['--decompress', '-k', KEY.bytes.toString()];
    const { result, target } = await unpack(context, archive(...interleaved(layered)), ...words);
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), filesTree);
  });

  const once = someOf(2);
  once('files that stay encrypted are told, once', async (context) => {
    const locked = { ...FILES, 'x.xbcrypt': xbcryptFile(Buffer.from('x'), KEY) };
    const { result, target } = await unpack(context, archive(...interleaved(locked)), '--decompress');
    assertEnded(result, EXIT.undecodable, /x\.xbcrypt is encrypted, and no key was given/);
    assert.equal(result.stderr.split('x.xbcrypt is encrypted').length, 2);
    assert.deepEqual(readTree(target), treeOf(locked));
  });

  test('damage in one file: it has no final name, what has one is whole, and the error tells of it', async (context) => {
    const damaged = Buffer.from(plain);
    const at = damaged.indexOf(FILES['db0/t4']!.subarray(4 * MIB, 4 * MIB + 64)) + 100;
    damaged[at]! ^= 1;
    const { result, target, path } = await unpack(context, damaged);
    assertEnded(result, EXIT.damaged, /checksum mismatch in db0\/t4/, /--keep-going/);
    const found = readTree(target);
    for (const [name, content] of Object.entries(wholeTree)) {
      if (name in found) assert.equal(found[name], content, name);
    }
    assert.ok(!('db0/t4' in found));
    assert.match(result.stderr, /the file was left as db0\/\.t4\.partial/);
    const again = await run(['extract', '-q', '--skip-existing', '--keep-going', path, '-C', target]);
    assert.equal(again.code, EXIT.damaged, again.stderr);
    const names = Object.keys(readTree(target)).filter((name) => !name.endsWith('.partial'));
    assert.deepEqual(
      names,
      Object.keys(wholeTree).filter((name) => name !== 'db0/t4'),
    );
  });

  test('a file that is there is not touched, unless it is to be replaced', async (context) => {
    const { result, target } = await unpack(context, file('db1/t3', 'old'), '--backup=never');
    assertEnded(result, EXIT.ok);
    const path = join(tempDir(context), 'archive.xbs');
    fs.writeFileSync(path, plain);
    const refused = await run(['extract', '-q', '--parallel=2', path, '-C', target]);
    assertEnded(refused, EXIT.refused, /db1\/t3 exists in the target already/);
    assert.equal(fs.readFileSync(join(target, 'db1/t3'), 'utf8'), 'old');
    for (const name of namesIn(target)) if (name !== 'db1/t3') fs.rmSync(join(target, name));
    const replaced = await run(['extract', '-q', '--parallel=2', '--overwrite', path, '-C', target]);
    assertEnded(replaced, EXIT.ok);
    assert.deepEqual(readTree(target), wholeTree);
  });

  test('an archive that corrects itself is read in its own order', async (context) => {
    const corrected = archive(...interleaved(FILES), remove('db0/t0'), file('db0/t0', 'new'));
    const { result, target } = await unpack(context, corrected);
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ ...FILES, 'db0/t0': 'new' }));
  });

  const other = someOf(2, 1);
  other('a stored name that another file would have while it grows', async (context) => {
    const clash = archive(...interleaved({ 'db0/.t0.partial': noise(3 * MIB), ...FILES }));
    const { result, target } = await unpack(context, clash);
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ ...FILES, 'db0/.t0.partial': noise(3 * MIB) }));
  });

  test('two files that would get one name when they are decoded: neither is lost without a word', async (context) => {
    const two = archive(...interleaved({ 'same.qp': qpressFile(noise(3 * MIB)), same: noise(3 * MIB, 2), ...FILES }));
    for (const words of sampled([[], ['--overwrite']], 2)) {
      const { result } = await unpack(context, two, '--decompress', '--backup=never', ...words);
      assertEnded(result, EXIT.refused, /two files of the archive would get the name same/);
    }
  });

  other('a decoded file that is called as another while that grows is not taken away', async (context) => {
    const names = [0, 1, 2, 3, 4, 5].map((index) => `.t${index}.partial`);
    const clash = Object.fromEntries(names.map((name) => [`db0/${name}.qp`, qpressFile(noise(2 * MIB))]));
    const { result, target } = await unpack(context, archive(...interleaved({ ...FILES, ...clash })), '--decompress');
    assertEnded(result, EXIT.ok);
    const made = Object.fromEntries(names.map((name) => [`db0/${name}`, noise(2 * MIB)]));
    assert.deepEqual(readTree(target), treeOf({ ...FILES, ...made }));
  });

  once('that a key is not proved is told once', async (context) => {
    const old = Object.entries(FILES).map(([name, content]) =>
      file(`${name}.xbcrypt`, xbcryptFile(content, KEY, { version: 1 })),
    );
    const { result } = await unpack(context, archive(...old), '-k', KEY.bytes.toString());
    assert.equal(result.stderr.split('cannot prove a key').length, 2, result.stderr);
  });

  test('progress and files are those of all pipelines', async (context) => {
    const { result } = await unpack(context, plain, '--json', '--progress=always');
    const lines = result.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const { ok, files, bytes } = lines.at(-1)!;
    const sizes = Object.values(WHOLE).map(({ length }) => length);
    assert.deepEqual([ok, files, bytes], [true, sizes.length, sizes.reduce((a, b) => a + b)]);
    assert.equal(lines.filter(({ type }) => type === 'file').length, sizes.length);
  });

  test('interrupted: it dies of the signal, and unfinished files have no final name', async (context) => {
    const directory = tempDir(context);
    const path = join(directory, 'archive.xbs');
    fs.writeFileSync(path, plain);
    const target = join(directory, 'target');
    const { child, ended } = start(['extract', '--parallel=2', path, '-C', target]);
    await untilExists(target);
    child.kill('SIGINT');
    const { signal } = await ended;
    const found = readTree(target);
    const whole = wholeTree;
    for (const [name, content] of Object.entries(found)) {
      if (!name.endsWith('.partial') && !name.endsWith('/')) assert.equal(content, whole[name], name);
    }
    if (signal === null) assert.deepEqual(found, whole);
    else assert.equal(signal, 'SIGINT');
  });
});
