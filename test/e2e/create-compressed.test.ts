/** Archives and tars that are compressed as they are made: other programs read them, and so do we. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { create, list } from 'tsxbstream';
import { noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { readTree, writeTree } from '../helpers/tree.js';

const FORMATS = [
  { ending: 'gz', name: 'gzip', program: 'gzip', debian: 'gzip' },
  { ending: 'zst', name: 'zstd', program: 'zstd', debian: 'zstd' },
  { ending: 'lz4', name: 'lz4', program: 'lz4', debian: 'lz4' },
] as const;

/** A directory whose archive takes more than one frame of 4 MiB. */
function sources(context: Cleanup): string {
  const directory = tempDir(context);
  writeTree(directory, { a: noise(5_000_000), 'd/b': Buffer.alloc(6_000_000, 'rows '), empty: '' });
  return directory;
}

describe('an archive that is compressed as it is made', { concurrency: 2 }, () => {
  for (const { ending, name, program, debian } of sampled(FORMATS, 3, 1)) {
    test(`by the ending .${ending}, or by --compress=${name}`, async (context) => {
      if (!hasProgram(context, program, debian)) return;
      const directory = sources(context);
      const out = tempDir(context);
      const [plain, packed, piped] = ['x.xb', `x.xb.${ending}`, 'piped'].map((file) => join(out, file)) as [
        string,
        string,
        string,
      ];
      for (const path of [plain, packed]) {
        assert.equal((await run(['create', '-C', directory, '.', '-o', path, '-q'])).code, EXIT.ok);
      }
      const shell = { wrapper: ['sh', '-c', `exec "$@" > '${piped}'`, 'sh'] };
      assert.equal((await run(['create', '-C', directory, '.', `--compress=${name}`], shell)).code, EXIT.ok);
      assert.deepEqual(fs.readFileSync(piped), fs.readFileSync(packed));
      const decoded = execFileSync(program, ['-dc'], { input: fs.readFileSync(packed), maxBuffer: 2 ** 26 });
      assert.ok(decoded.equals(fs.readFileSync(plain)));
      const target = tempDir(context);
      assert.equal((await run(['extract', packed, '-C', target])).code, EXIT.ok);
      assert.deepEqual(readTree(target), readTree(directory));
      assert.deepEqual((await list(packed)).wrappers, [name]);
      const none = join(out, `none.${ending}`);
      assert.equal((await run(['create', '-C', directory, '.', '-o', none, '--compress=none'])).code, EXIT.ok);
      assert.ok(fs.readFileSync(none).equals(fs.readFileSync(plain)));
      const empty = join(out, `empty.${ending}`);
      assert.equal((await run(['create', '-C', tempDir(context), '.', '--allow-empty', '-o', empty])).code, EXIT.ok);
      assert.equal(execFileSync(program, ['-dc', empty]).length, 0);
      assert.equal((await run(['verify', '--allow-empty', empty])).code, EXIT.ok);
    });
  }

  test('zstd: the table at the end tells where frames begin that can be decoded by themselves', async (context) => {
    if (!hasProgram(context, 'zstd', 'zstd')) return;
    const path = join(tempDir(context), 'x.xb.zst');
    assert.equal((await run(['create', '-C', sources(context), '.', '-o', path])).code, EXIT.ok);
    const bytes = fs.readFileSync(path);
    assert.equal(bytes.readUInt32LE(bytes.length - 4), 0x8f92eab1);
    const frames = bytes.readUInt32LE(bytes.length - 9);
    assert.equal(frames, 3);
    const table = bytes.length - 9 - 8 * frames;
    assert.equal(bytes.readUInt32LE(table - 8), 0x184d2a5e);
    assert.equal(bytes.readUInt32LE(table - 4), 8 * frames + 9);
    for (let frame = 0, at = 0; frame < frames; frame += 1) {
      const [length, content] = [bytes.readUInt32LE(table + 8 * frame), bytes.readUInt32LE(table + 8 * frame + 4)];
      const decoded = execFileSync('zstd', ['-dcq'], { input: bytes.subarray(at, at + length), maxBuffer: 2 ** 26 });
      assert.equal(decoded.length, content);
      at += length;
      if (frame === frames - 1) assert.equal(at, table - 8);
    }
  });

  test('what is broken off is never taken for whole', async (context) => {
    const directory = sources(context);
    const out = join(tempDir(context), 'out');
    const words = ['create', '-C', directory, 'a', 'missing-soon', '--compress=gzip'];
    writeTree(directory, { 'missing-soon': 'x' });
    // It is found first, and cannot be read when its turn comes.
    fs.rmSync(join(directory, 'missing-soon'));
    fs.mkdirSync(join(directory, 'missing-soon'));
    fs.symlinkSync('/proc/self/mem', join(directory, 'missing-soon', 'x'));
    const { code } = await run(words, { wrapper: ['sh', '-c', `exec "$@" > '${out}'`, 'sh'] });
    assert.equal(code, EXIT.refused);
    assert.equal((await run(['verify', out])).code, EXIT.incomplete);
  });

  test('a tar, too', async (context) => {
    const directory = sources(context);
    const archive = join(tempDir(context), 'x.xb.gz');
    const tar = join(tempDir(context), 'x.tar.gz');
    assert.equal((await run(['create', '-C', directory, '.', '-o', archive])).code, EXIT.ok);
    assert.equal((await run(['tar', archive, '-o', tar])).code, EXIT.ok);
    const target = tempDir(context);
    execFileSync('tar', ['-xzf', tar, '-C', target]);
    assert.deepEqual(readTree(target), readTree(directory));
  });

  test('by the library', async (context) => {
    const directory = sources(context);
    const path = join(tempDir(context), 'archive');
    await create(['a', 'd/b'], path, { directory, compress: 'zstd' });
    const { wrappers, entries } = await list(path);
    assert.deepEqual([wrappers, entries.map(({ path: name }) => name)], [['zstd'], ['a', 'd/b']]);
    await assert.rejects(create(['a'], `${path}2`, { directory, decodeStream: false } as object), { code: 'XB_USAGE' });
  });

  test('a name that says it otherwise: full.tgz is compressed, full.tar.xz and full.xbstream.gpg are not made', async (context) => {
    const directory = sources(context);
    const out = tempDir(context);
    const archive = join(out, 'full.tzst');
    const tar = join(out, 'FULL.TGZ');
    assert.equal((await run(['create', '-C', directory, 'd', '-o', archive, '-q'])).code, EXIT.ok);
    assert.deepEqual((await list(archive)).wrappers, ['zstd']);
    assert.equal((await run(['tar', archive, '-o', tar, '-q'])).code, EXIT.ok);
    assert.equal(execFileSync('tar', ['-tzf', tar], { encoding: 'utf8' }).trim(), 'd/b');
    for (const name of ['full.tar.xz', 'full.xbstream.gpg', 'full.tar.qp']) {
      const path = join(out, name);
      const words = ['tar', archive, '-o', path];
      const refused = await run(words);
      assertEnded(refused, EXIT.usage, new RegExp(`would be no \\.${name.split('.').pop()} file`));
      assert.equal(fs.existsSync(path), false);
      assert.equal((await run([...words, '--compress=none', '-q'])).code, EXIT.ok);
      assert.equal(execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).trim(), 'd/b');
    }
  });

  test('a format that is not known', async () => {
    assertEnded(await run(['create', 'x', '--compress=xz']), EXIT.usage, /--compress takes gzip, zstd, lz4 or none/);
  });
});
