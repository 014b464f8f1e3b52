/** `decode`: files are decoded where they lie, and none is lost. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { decode, extract } from 'tsxbstream';
import { InPlaceDirectory } from '../../dist/output/directory/in-place-directory.js';
import { noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { encode, encodedFiles, TREE_KEY, TREE_KEY_WORDS, writeEncoded } from '../helpers/encoded-tree.js';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { splitArchive, readFixture } from '../helpers/mini-xbstream.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, readTree, treeOf, writeTree } from '../helpers/tree.js';

const CONTENT = Buffer.concat([noise(60_000), Buffer.alloc(40_000, 'x')]);
const QP = qpressFile(CONTENT);
const ENCODED = /\.(zst|lz4|qp|xbcrypt)$/;

function hasPrograms(context: TestContext): boolean {
  return hasProgram(context, 'zstd', 'zstd') && hasProgram(context, 'lz4', 'lz4');
}

test('every fixture, unpacked as it is and then decoded, is what is unpacked decoded', async (context) => {
  const encoded = FIXTURE_NAMES.map(fixture).filter(({ sha256 }) =>
    Object.keys(sha256).some((path) => ENCODED.test(path)),
  );
  for (const archive of sampled(encoded, 7, 1)) {
    const { name } = archive;
    const cipher = /AES\d+/.exec(name)?.[0];
    const key = cipher === undefined ? undefined : FIXTURE_KEYS[cipher]!.bytes;
    const [whole, later] = [tempDir(context), tempDir(context)];
    await extract([archive.bytes], whole, { decompress: true, key, backup: 'never' });
    await extract([archive.bytes], later, { backup: 'never' });
    const names = namesIn(later).filter((path) => ENCODED.test(path));
    const result = await decode(later, { key, removeOriginal: true });
    assert.deepEqual([result.ok, result.files, result.problems], [true, names.length, []], name);
    assert.deepEqual(readTree(later), readTree(whole), name);
  }
});

test('300 files of all kinds, by real lz4 and zstd, are what they were; a second run has nothing to do', async (context) => {
  if (!hasPrograms(context)) return;
  const files = encodedFiles(300, 60_000);
  const expected = treeOf(Object.fromEntries(files.map(({ path, content }) => [path, content])));
  for (const words of sampled([[], ['--parallel=1'], ['--fsync'], ['--keep']], 3)) {
    const directory = tempDir(context);
    writeEncoded(directory, files);
    const { code, stdout, stderr } = await run(['decode', ...words, ...TREE_KEY_WORDS, directory]);
    assert.deepEqual([code, stderr], [EXIT.ok, ''], words.join());
    assert.match(stdout, /^decoded 263 files \(.*\) in /);
    const tree = readTree(directory);
    if (words[0] === '--keep') {
      for (const { path, suffix } of files) assert.ok(`${path}${suffix}` in tree);
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map((path) => [path, tree[path]])), expected);
      continue;
    }
    assert.deepEqual(tree, expected, words.join());
    const again = await run(['decode', ...words, ...TREE_KEY_WORDS, directory]);
    assert.deepEqual([again.code, again.stdout, again.stderr], [EXIT.ok, 'nothing to decode\n', '']);
  }
});

test('names and single files: as they were typed, named twice, of bytes that are no text', async (context) => {
  const directory = tempDir(context);
  writeTree(directory, { 'a.qp': QP, 'd/b\xff.qp': QP, 'd/c.QP': QP, 'd/e.qp.old': QP, lz4: QP, 'd/f.qp': QP });
  const { code, stdout, stderr } = await run(['decode', '-v', 'a.qp', 'd/f.qp', './d/f.qp', 'd'], { cwd: directory });
  assert.deepEqual([code, stderr], [EXIT.ok, '']);
  assert.match(stdout, /^a$/m);
  assert.match(stdout, /decoded 3 files/);
  assert.deepEqual(
    readTree(directory),
    treeOf({ a: CONTENT, 'd/b\xff': CONTENT, 'd/f': CONTENT, 'd/c.QP': QP, 'd/e.qp.old': QP, lz4: QP }),
  );
});

test('owner and permissions are those of the encoded file', async (context) => {
  const directory = tempDir(context);
  writeTree(directory, { 'a.qp': QP, 'b.qp': QP, 'c.qp': '' });
  fs.chmodSync(join(directory, 'a.qp'), 0o604);
  fs.chmodSync(join(directory, 'b.qp'), 0o4660);
  fs.chmodSync(join(directory, 'c.qp'), 0o400);
  if (process.getuid?.() === 0) fs.chownSync(join(directory, 'b.qp'), 4711, 4712);
  const owner = ({ uid, gid, mode }: fs.Stats): number[] => [uid, gid, mode & 0o777];
  const before = ['a', 'b', 'c'].map((name) => owner(fs.statSync(join(directory, `${name}.qp`))));
  assertEnded(await run(['decode', '-q', directory]), EXIT.ok);
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => owner(fs.statSync(join(directory, name)))),
    before,
  );
});

test('what cannot be given away is told, and nobody else gets to read it', async (context) => {
  if (!isRoot(context) || !hasProgram(context, 'setpriv', 'util-linux')) return;
  const directory = tempDir(context);
  writeTree(directory, { 'a.qp': QP });
  fs.chownSync(directory, 4711, 4712);
  fs.chownSync(join(directory, 'a.qp'), 0, 0);
  fs.chmodSync(join(directory, 'a.qp'), 0o664);
  const wrapper = ['setpriv', '--reuid=4711', '--regid=4712', '--clear-groups'];
  const { code, stderr } = await run(['decode', '-q', directory], { wrapper });
  assert.equal(code, EXIT.ok, stderr);
  assert.match(stderr, /^tsxbstream: warning: some of these files are of another owner/);
  const { uid, gid, mode } = fs.statSync(join(directory, 'a'));
  assert.deepEqual([uid, gid, mode & 0o777], [4711, 4712, 0o604]);
});

describe('where the decoded file is there already', { concurrency: true }, () => {
  const both = (context: TestContext, there: Buffer | string): string => {
    const directory = tempDir(context);
    writeTree(directory, { 't.ibd.qp': QP, 't.ibd': there, '.t.ibd.partial': 'half', 'u.qp': QP });
    return directory;
  };

  test('the same, as a run leaves it that was killed: the encoded one goes', async (context) => {
    for (const words of sampled([[], ['--fsync'], ['--skip-existing=verify']], 2)) {
      const directory = both(context, CONTENT);
      const { ino } = fs.statSync(join(directory, 't.ibd'));
      const { code, stdout } = await run(['decode', ...words, directory]);
      assert.equal(code, EXIT.ok);
      assert.match(stdout, /decoded 2 files, 1 of them kept as they were \(/);
      assert.deepEqual(readTree(directory), treeOf({ 't.ibd': CONTENT, u: CONTENT }));
      assert.equal(fs.statSync(join(directory, 't.ibd')).ino, ino);
    }
  });

  test('another: refused, and neither is touched', async (context) => {
    const others = [Buffer.from(CONTENT).fill(0, 5, 6), CONTENT.subarray(1), Buffer.concat([CONTENT, CONTENT]), ''];
    for (const there of sampled(others, 2)) {
      const directory = both(context, there);
      const result = await run(['decode', '-q', '--keep-going', directory]);
      assertEnded(
        result,
        EXIT.refused,
        /t\.ibd exists already, and is not what .*t\.ibd\.qp is decoded/,
        /--overwrite/,
      );
      const tree = treeOf({ 't.ibd.qp': QP, 't.ibd': there, '.t.ibd.partial': 'half', u: CONTENT });
      assert.deepEqual(readTree(directory), tree);
    }
  });

  test('--overwrite replaces it, --skip-existing leaves both alone', async (context) => {
    const replaced = both(context, 'other');
    assertEnded(await run(['decode', '-q', '--overwrite', replaced]), EXIT.ok);
    assert.deepEqual(readTree(replaced), treeOf({ 't.ibd': CONTENT, u: CONTENT }));
    const left = both(context, 'other');
    assertEnded(await run(['decode', '-q', '--skip-existing', left]), EXIT.ok);
    const tree = treeOf({ 't.ibd.qp': QP, 't.ibd': 'other', '.t.ibd.partial': 'half', u: CONTENT });
    assert.deepEqual(readTree(left), tree);
  });

  test('a directory, or a link, of that name is not replaced', async (context) => {
    const kinds = [fs.mkdirSync, (path: string) => fs.symlinkSync('/etc/passwd', path)];
    for (const [turn, make] of kinds.entries()) {
      for (const words of sampled([[], ['--overwrite'], ['--skip-existing']], 2, turn)) {
        const directory = tempDir(context);
        writeTree(directory, { 'a.qp': QP });
        make(join(directory, 'a'));
        const isLink = fs.lstatSync(join(directory, 'a')).isSymbolicLink();
        const { code, stderr } = await run(['decode', '-q', ...words, directory]);
        // A link gives way as a file does; what it leads to is not touched.
        const isReplaced = isLink && words[0] === '--overwrite';
        assert.equal(code, isReplaced ? EXIT.ok : EXIT.refused);
        if (words[0] === '--overwrite') assert.doesNotMatch(stderr, /--overwrite/);
        assert.equal(fs.existsSync(join(directory, 'a.qp')), !isReplaced);
      }
    }
  });

  test('two files of one name: neither is decoded', async (context) => {
    if (!hasPrograms(context)) return;
    const directory = tempDir(context);
    const [lz4, zst] = [encode('lz4', [CONTENT])[0]!, encode('zstd', [CONTENT])[0]!];
    const files = { 't.qp': QP, 't.lz4': lz4, 'u.zst.lz4': lz4, 'u.zst': zst, 'v.qp': QP };
    writeTree(directory, files);
    for (const words of sampled([[], ['--overwrite']], 2, 1)) {
      const result = await run(['decode', '-q', ...words, directory]);
      assertEnded(
        result,
        EXIT.refused,
        /t\.qp would become .*\/t, and so would another/,
        /u\.zst, which is encoded itself/,
      );
      assert.deepEqual(readTree(directory), treeOf(files));
    }
    assert.equal((await run(['decode', '-q', '--keep-going', directory])).code, EXIT.refused);
    assert.deepEqual(namesIn(directory), ['t.lz4', 't.qp', 'u', 'u.zst.lz4', 'v']);
  });
});

test('a file that is called as another while that grows is not taken away', async (context) => {
  const folder = tempDir(context);
  const names = Array.from({ length: 16 }, (_, index) => [`t${index}`, `.t${index}.partial`]).flat();
  for (const name of names) fs.writeFileSync(join(folder, `${name}.qp`), qpressFile(noise(600_000)));
  assertEnded(await run(['decode', '-q', '--parallel=2', folder]), EXIT.ok);
  assert.deepEqual(readTree(folder), treeOf(Object.fromEntries(names.map((name) => [name, noise(600_000)]))));
});

describe('a file that is damaged', { concurrency: true }, () => {
  const cut = QP.subarray(0, QP.length - 30);
  const flipped = Buffer.from(QP);
  flipped[5000]! ^= 1;

  for (const [title, bytes, code] of [
    ['cut', cut, EXIT.incomplete],
    ['flipped', flipped, EXIT.damaged],
    ['something else', Buffer.alloc(100, 'plain'), EXIT.damaged],
  ] as const) {
    test(`${title}: is named, and stays as it was`, async (context) => {
      const directory = tempDir(context);
      writeTree(directory, { 'd/bad.ibd.qp': bytes, 'd/good.ibd.qp': QP });
      const result = await run(['decode', '-q', '--keep-going', 'd'], { cwd: directory });
      assertEnded(result, code, /d\/bad\.ibd\.qp/);
      assert.deepEqual(readTree(directory), treeOf({ 'd/bad.ibd.qp': bytes, 'd/good.ibd': CONTENT }));
    });
  }

  test('ends the run; what was done before stays done, and the same command goes on', async (context) => {
    const directory = tempDir(context);
    writeTree(directory, {
      'a.qp': QP,
      'b.qp': Buffer.concat([QP.subarray(0, 20_000), Buffer.alloc(90_000)]),
      'c.qp': QP,
    });
    const result = await run(['decode', '-q', '--parallel=1', directory]);
    assertEnded(result, EXIT.damaged, /b\.qp stays as it was/, /--keep-going/);
    assert.deepEqual(namesIn(directory), ['a.qp', 'b.qp', 'c.qp']);
    fs.writeFileSync(join(directory, 'b.qp'), QP);
    assertEnded(await run(['decode', '-q', directory]), EXIT.ok);
    assert.deepEqual(readTree(directory), treeOf({ a: CONTENT, b: CONTENT, c: CONTENT }));
  });
});

describe('keys', { concurrency: true }, () => {
  const encrypted = xbcryptFile(QP, TREE_KEY);

  test('encrypted files and no key: an error before anything is done', async (context) => {
    const directory = tempDir(context);
    const files = { 'a.qp.xbcrypt': encrypted, 'b.qp': QP };
    writeTree(directory, files);
    for (const words of sampled([[], ['--decrypt=NONE']], 2)) {
      const result = await run(['decode', '-q', ...words, directory]);
      assertEnded(result, EXIT.undecodable, /a\.qp\.xbcrypt is encrypted, and no key was given/, /--allow-encrypted/);
      assert.deepEqual(readTree(directory), treeOf(files));
    }
    assertEnded(await run(['decode', '-q', '--allow-encrypted', directory]), EXIT.ok);
    assert.deepEqual(readTree(directory), treeOf({ 'a.qp.xbcrypt': encrypted, b: CONTENT }));
    const env = { XBCRYPT_ENCRYPTION_KEY: Buffer.from(TREE_KEY.bytes).toString() };
    assertEnded(await run(['decode', '-q', directory], { env }), EXIT.ok);
    assert.deepEqual(readTree(directory), treeOf({ a: CONTENT, b: CONTENT }));
  });

  test('an empty file with the name of an encrypted one, and no key: it stays, and the others are decoded', async (context) => {
    const directory = tempDir(context);
    writeTree(directory, { 'a.xbcrypt': '', 'b.zst.xbcrypt': '', 'c.qp': QP });
    assertEnded(await run(['decode', '-q', directory]), EXIT.ok);
    assert.deepEqual(readTree(directory), treeOf({ 'a.xbcrypt': '', 'b.zst.xbcrypt': '', c: CONTENT }));
  });

  test('a wrong key takes nothing away', async (context) => {
    const directory = tempDir(context);
    const old = xbcryptFile(QP, TREE_KEY, { version: 1 });
    const files = { 'a.qp.xbcrypt': encrypted, 'b.xbcrypt': xbcryptFile(CONTENT, TREE_KEY), 'c.qp.xbcrypt': old };
    writeTree(directory, files);
    const result = await run(['decode', '-q', '--keep-going', `--encrypt-key=${'k'.repeat(32)}`, directory]);
    assertEnded(result, EXIT.undecodable);
    assert.doesNotMatch(result.stderr, /kkk/);
    assert.deepEqual(readTree(directory), treeOf(files));
  });

  test('an old format cannot prove a key: the encrypted file stays, unless told otherwise', async (context) => {
    const directory = tempDir(context);
    const old = xbcryptFile(CONTENT, TREE_KEY, { version: 1 });
    writeTree(directory, { 'a.xbcrypt': old, 'b.qp.xbcrypt': xbcryptFile(QP, TREE_KEY, { version: 1 }) });
    for (let times = 1; times <= 2; times += 1) {
      const { code, stderr } = await run(['decode', '-q', ...TREE_KEY_WORDS, directory]);
      assert.deepEqual([code, stderr.split('\n').length], [EXIT.ok, 2], stderr);
      assert.match(stderr, /warning: an old format of encryption cannot prove the key/);
      assert.deepEqual(readTree(directory), treeOf({ 'a.xbcrypt': old, a: CONTENT, b: CONTENT }));
    }
    assertEnded(await run(['decode', '-q', '--remove-original', ...TREE_KEY_WORDS, directory]), EXIT.ok);
    assert.deepEqual(readTree(directory), treeOf({ a: CONTENT, b: CONTENT }));
  });
});

describe('hostile trees', { concurrency: true }, () => {
  test('links are neither followed nor replaced', async (context) => {
    const [directory, outside] = [tempDir(context), tempDir(context)];
    writeTree(outside, { 'x.qp': QP, 'd/y.qp': QP });
    writeTree(directory, { 'in/a.qp': QP });
    fs.symlinkSync(outside, join(directory, 'in/link'));
    fs.symlinkSync(join(outside, 'x.qp'), join(directory, 'in/b.qp'));
    fs.symlinkSync('/dev/full', join(directory, 'in/.a.partial'));
    const { code, stderr } = await run(['decode', '-q', directory]);
    assert.equal(code, EXIT.ok);
    assert.match(stderr, /^tsxbstream: warning: .*in\/b\.qp is no regular file, and was left alone\n$/);
    assert.deepEqual(readTree(outside), treeOf({ 'x.qp': QP, 'd/y.qp': QP }));
    assert.deepEqual(namesIn(directory), ['in/.a.partial', 'in/a', 'in/b.qp', 'in/link']);
    assertEnded(await run(['decode', '-q', join(directory, 'in/b.qp')]), EXIT.refused, /no regular file/);
    // The way to what is named is the user's own.
    assertEnded(await run(['decode', '-q', join(directory, 'in/link')]), EXIT.ok);
    assert.deepEqual(namesIn(outside), ['d/y', 'x']);
  });

  test('names that are nothing but a suffix, and what is no file', async (context) => {
    const directory = tempDir(context);
    writeTree(directory, { '.qp': QP, 'd/..qp': QP, 'ok.qp': QP });
    fs.mkdirSync(join(directory, 'dir.qp'));
    const result = await run(['decode', '-q', directory]);
    assertEnded(result, EXIT.damaged, /is nothing but a suffix/);
    assert.deepEqual(namesIn(directory), ['.qp', 'd/..qp', 'dir.qp/', 'ok.qp']);
    assert.equal((await run(['decode', '-q', '--keep-going', directory])).code, EXIT.damaged);
    assert.deepEqual(namesIn(directory), ['.qp', 'd/..qp', 'dir.qp/', 'ok']);
  });
});

test('page-compressed tables take as much disk as their pages need', async (context) => {
  const [[name, content]] = [...splitArchive(readFixture('reports/03-mariadb-page-compressed.xbstream'))] as [
    [string, Buffer],
  ];
  const directory = tempDir(context);
  writeTree(directory, { [`${name}.qp`]: qpressFile(content) });
  assertEnded(await run(['decode', '-q', directory]), EXIT.ok);
  assert.deepEqual(readTree(directory), treeOf({ [name]: content }));
  assert.ok(fs.statSync(join(directory, name)).blocks / 2 <= 28);
});

test('an empty file that is called a compressed one: what it held is lost, and it stays', async (context) => {
  const directory = tempDir(context);
  // mariabackup makes the second one of a file that was emptied while it ran; an empty file is encrypted to nothing.
  writeTree(directory, { 'a.zst': '', 'b.qp': '', 'c.lz4': '', 'd.qp': QP, 'e.xbcrypt': '', 'f.zst.xbcrypt': '' });
  const result = await run(['decode', '-q', '--keep-going', ...TREE_KEY_WORDS, directory]);
  assertEnded(result, EXIT.incomplete, /a\.zst is empty, which no compressed file is/, /c\.lz4 is empty/);
  assert.deepEqual(
    readTree(directory),
    treeOf({ 'a.zst': '', b: '', 'c.lz4': '', d: CONTENT, e: '', 'f.zst.xbcrypt': '' }),
  );
});

test('a file that is written to when it was decoded, and before it is taken away, stays', (context) => {
  const folder = tempDir(context);
  fs.writeFileSync(join(folder, 'a.qp'), QP);
  const directory = new InPlaceDirectory({ root: folder, overwrite: false, fsync: true });
  context.after(() => directory.release());
  const original = directory.original(rawPath('a.qp'));
  original.close();
  directory.replace(original);
  fs.appendFileSync(join(folder, 'a.qp'), 'more');
  assert.throws(() => directory.removeReplaced(), { message: 'a.qp was written to after it was decoded' });
  assert.deepEqual(namesIn(folder), ['a.qp']);
});

test('command lines that cannot be followed', async (context) => {
  const directory = tempDir(context);
  writeTree(directory, { plain: 'x', 'a.qp': QP });
  const calls = [
    [[], /no files are named/],
    [[''], /name of a file is empty/],
    [['plain'], /by its name plain is neither compressed nor encrypted/],
    [['--keep', '--remove-original', '.'], /exclude each other/],
    [['--overwrite', '--skip-existing', '.'], /exclude each other/],
  ] as const;
  for (const [words, said] of sampled(calls, 2)) {
    assertEnded(await run(['decode', ...words], { cwd: directory }), EXIT.usage, said);
  }
  assertEnded(await run(['decode', 'gone.qp'], { cwd: directory }), EXIT.refused, /cannot look at gone\.qp/);
  assert.deepEqual(namesIn(directory), ['a.qp', 'plain']);
});

test('the library: callbacks, problems, a signal', async (context) => {
  const directory = tempDir(context);
  writeTree(directory, { 'a.qp': QP, 'b.qp': QP.subarray(0, 100), 'c.qp': QP });
  const told: string[] = [];
  const result = await decode(directory, {
    keepGoing: true,
    onFile: ({ path, bytes }) => told.push(`${path} ${bytes}`),
    onProblem: ({ path }) => told.push(path!),
  });
  assert.deepEqual([result.ok, result.files, result.bytes, result.keptFiles], [false, 2, 200_000, 0]);
  assert.deepEqual(
    result.problems.map(({ code, path }) => [code, path]),
    [['XB_LAYER_TRUNCATED', `${directory}/b.qp`]],
  );
  assert.deepEqual(told.sort(), [`${directory}/a 100000`, `${directory}/b.qp`, `${directory}/c 100000`]);
  await assert.rejects(decode([directory]), { code: 'XB_LAYER_TRUNCATED' });
  await assert.rejects(decode(directory, { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' });
  await assert.rejects(decode([]), { code: 'XB_USAGE' });
});
