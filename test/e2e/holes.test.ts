/** Holes are holes: what is unpacked takes no more disk than with mbstream, and than on the server. */
import assert from 'node:assert/strict';
import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { archive, file, sparse, end, noise } from '../helpers/archive-bytes.js';
import { PROGRAM, run } from '../helpers/cli.js';
import { encode } from '../helpers/encoded-tree.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { Mariadb } from '../helpers/mariadb.js';
import { readFixture, splitArchive } from '../helpers/mini-xbstream.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot, sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

const PERCONA_SPARSE = readFixture('reports/02-percona-sparse-on-xfs.xbstream');
const MARIADB_COMPRESSED = readFixture('reports/03-mariadb-page-compressed.xbstream');
const MIB = 2 ** 20;

/** KiB of disk that each file of a tree takes. */
function diskUse(directory: string): Map<string, number> {
  const names = fs.readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(directory.length + 1), fs.statSync(path).blocks / 2];
    }),
  );
}

function assertNoLarger(ours: Map<string, number>, theirs: Map<string, number>, what: string): void {
  assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort(), what);
  for (const [name, kib] of ours)
    assert.ok(kib <= theirs.get(name)!, `${what}: ${name} takes ${kib} KiB of disk, not ${theirs.get(name)}`);
}

async function unpack(
  t: TestContext,
  bytes: Buffer,
  target: string,
  words: readonly string[] = [],
  isPipe = false,
): Promise<void> {
  fs.mkdirSync(target, { recursive: true });
  const path = join(tempDir(t), 'archive.xbs');
  fs.writeFileSync(path, bytes);
  const result = await run(['-x', '--backup=never', ...words, '-C', target], {
    stdin: isPipe ? { kind: 'pipe', bytes } : { kind: 'file', path },
  });
  fs.rmSync(path);
  assertEnded(result, EXIT.ok);
}

function unpackWithMbstream(input: Buffer, target: string): void {
  fs.mkdirSync(target, { recursive: true });
  execFileSync('mbstream', ['-x', '-C', target], { input, stdio: ['pipe', 'ignore', 'inherit'] });
}

/** A page-compressed tablespace of `pages` pages of 16 KiB, of each of which the server keeps 4 KiB, and mbstream too. */
function pageCompressed(pages: number, flags: number, type: number): Buffer {
  const space = noise(pages * 16384);
  space.fill(0, 0, 58);
  space.writeUInt16BE(8, 24);
  space.writeUInt32BE(flags, 54);
  for (let page = 1; page < pages; page += 1) {
    const at = page * 16384;
    space.fill(0, at + 3000, at + 16384);
    space.fill(0, at, at + 42);
    space.writeUInt32BE(page, at + 4);
    space.writeUInt16BE(type, at + 24);
    space.writeUInt16BE(2900, at + 32);
  }
  return space;
}

/** As MySQL has them; the server tells in each page. */
const MYSQL_COMPRESSED = pageCompressed(700, 0x21, 14);

const LAYOUTS: [string, Buffer, readonly string[], number][] = [
  ['of MySQL, in qpress', archive(file('d/t.ibd.qp', qpressFile(MYSQL_COMPRESSED))), ['--decompress'], 16 + 699 * 4],
  [
    'of MariaDB, in qpress',
    archive(...[...splitArchive(MARIADB_COMPRESSED)].map(([name, bytes]) => file(`${name}.qp`, qpressFile(bytes)))),
    ['--decompress'],
    28,
  ],
  ['of MariaDB', MARIADB_COMPRESSED, [], 28],
  ['of MySQL, as sparse chunks', PERCONA_SPARSE, [], 260],
];

test('page-compressed tables take as much disk as their pages need', async (t) => {
  for (const [what, bytes, words, kib] of LAYOUTS) {
    for (const isPipe of sampled([false, true], 2, words.length)) {
      const target = join(tempDir(t), 'target');
      await unpack(t, bytes, target, words, isPipe);
      const [[name, taken]] = diskUse(target) as unknown as [[string, number]];
      assert.ok(taken <= kib, `${what}: ${name} takes ${taken} KiB of disk, not ${kib}`);
    }
  }
});

test('a page-compressed table that ours left eight times as large takes no more disk than with mbstream', async (t) => {
  if (!hasProgram(t, 'mbstream', 'mariadb-backup')) return;
  const directory = tempDir(t);
  unpackWithMbstream(MARIADB_COMPRESSED, join(directory, 'theirs'));
  await unpack(t, MARIADB_COMPRESSED, join(directory, 'ours'));
  assertNoLarger(diskUse(join(directory, 'ours')), diskUse(join(directory, 'theirs')), '03');
  assert.deepEqual(readTree(join(directory, 'ours')), readTree(join(directory, 'theirs')));
});

test('a page-compressed table whose chunks come in another order is whole', async (t) => {
  const [[, content]] = [...splitArchive(MARIADB_COMPRESSED)] as [[string, Buffer]];
  const chunks = [0, 32768, 16384, 49152].map((at) =>
    sparse('t.ibd', at, [[0, 16384]], content.subarray(at, at + 16384)),
  );
  const target = join(tempDir(t), 'target');
  await unpack(t, archive(...chunks, end('t.ibd')), target);
  assert.ok(fs.readFileSync(join(target, 't.ibd')).equals(content));
});

test('a file whose compressed bytes look like a page-compressed table is decoded whole', async (t) => {
  const content = Buffer.alloc(5000, 'some rows, ');
  // Two frames to be skipped, zeros for the most part; at the places where a table has its type and its flags.
  const head = Buffer.alloc(8 + 8 + 60_000);
  for (const at of [0, 8]) head.writeUInt32LE(0x184d2a50, at);
  head.writeUInt32LE(60_000, 12);
  head.writeUInt16BE(8, 24);
  head.writeUInt32BE(0x10 | 5 | (1 << 5), 54);
  const bytes = archive(file('d/t.ibd.zst', Buffer.concat([head, encode('zstd', [content])[0]!])));
  for (const isPipe of [false, true]) {
    const target = join(tempDir(t), 'target');
    await unpack(t, bytes, target, ['--decompress'], isPipe);
    assert.deepEqual(fs.readFileSync(join(target, 'd/t.ibd')), content);
  }
});

test('what --dry-run says is needed counts no holes', async (t) => {
  const path = join(tempDir(t), 'archive.xbs');
  // More than any disk of a test machine has, but for its holes.
  fs.writeFileSync(path, archive(sparse('big', 0, [[2 ** 31, 1]], 'x'), end('big'), MARIADB_COMPRESSED));
  const { code, stderr } = await run(['extract', '--dry-run', path, '-C', tempDir(t)]);
  assert.equal(code, EXIT.ok, stderr);
});

test('the manifest of a page-compressed table is that of its content', async (t) => {
  const directory = tempDir(t);
  const target = join(directory, 'target');
  const manifest = join(directory, 'manifest');
  await unpack(t, MARIADB_COMPRESSED, target, ['--manifest', manifest]);
  execFileSync('sha256sum', ['-c', '--quiet', manifest], { cwd: target });
  const path = join(directory, 'archive.xbs');
  fs.writeFileSync(path, MARIADB_COMPRESSED);
  const { code } = await run(['verify', '--backup=never', '--manifest', join(directory, 'again'), path]);
  assert.equal(code, EXIT.ok);
  assert.equal(fs.readFileSync(join(directory, 'again'), 'latin1'), fs.readFileSync(manifest, 'latin1'));
});

/** XFS reserves blocks for whoever writes at the end of a file, and keeps those that end up below a hole. */
test('a file is long enough before anything is written behind a hole, whoever writes it', (t) => {
  if (!hasProgram(t, 'strace', 'strace')) return;
  // Both kinds of holes, each from the lane, from its writing thread, and from decoding threads.
  const interleaved = archive(
    ...Array.from({ length: 24 }, (_, chunk) =>
      sparse(
        'sparse',
        chunk * MIB,
        Array.from({ length: 8 }, () => [65536, 65536] as const),
        noise(MIB / 2, chunk + 1),
      ),
    ),
    end('sparse'),
    file('mariadb.ibd', pageCompressed(400, 0x10021, 34354), 10 * MIB),
    file('mysql.ibd.qp', qpressFile(MYSQL_COMPRESSED)),
    // As large as one must be for several threads to make it together.
    file('large.ibd', pageCompressed(5000, 0x10021, 34354), MIB),
  );
  const directory = tempDir(t);
  const path = join(directory, 'archive.xbs');
  fs.writeFileSync(path, interleaved);
  for (const words of [[], ['--decompress']]) {
    const target = join(directory, `target${words.length}`);
    const log = join(directory, 'strace');
    fs.mkdirSync(target);
    const command = [process.execPath, PROGRAM, '-x', ...words, '-C', target];
    const options: ExecFileSyncOptions = { stdio: [fs.openSync(path, 'r'), 'ignore', 'inherit'] };
    execFileSync('strace', ['-f', '-y', '-s', '0', '-o', log, '-e', 'trace=pwrite64,ftruncate', ...command], options);
    for (const name of ['sparse', 'mariadb.ibd', 'large.ibd', ...(words.length > 0 ? ['mysql.ibd'] : [])]) {
      assertLengthFirst(fs.readFileSync(log, 'latin1'), name);
    }
  }
});

/** @param log what strace has written, of a file with holes */
function assertLengthFirst(log: string, name: string): void {
  const call = /(pwrite64|ftruncate)\(\d+<[^>]*\/\.([^>/]*)\.partial[^>]*>, ([^)<]*)/;
  let end = 0;
  let length = 0;
  let behindHoles = 0;
  for (const line of log.split('\n')) {
    const [, what, of, words = ''] = call.exec(line) ?? [];
    if (of !== name) continue;
    const numbers = words.split(', ').map((word) => Number(word.trim()));
    if (what === 'ftruncate') {
      length = numbers[0]!;
      continue;
    }
    const [bytes, at] = numbers.slice(-2) as [number, number];
    if (at > end) {
      behindHoles += 1;
      assert.ok(length >= at + bytes, `${line}: written behind a hole of a file of ${length} bytes`);
    }
    end = Math.max(end, at + bytes);
  }
  assert.ok(behindHoles > 10, `${name} has ${behindHoles} holes`);
}

test('what is left of a file with holes ends where its content does', async (t) => {
  const directory = tempDir(t);
  const path = join(directory, 'archive.xbs');
  fs.writeFileSync(path, sparse('f', 0, [[10_000, 3], [8192, 5]], '12345678')); // prettier-ignore
  const { code } = await run(['extract', path, '-C', directory]);
  assert.equal(code, EXIT.incomplete);
  assert.equal(fs.statSync(join(directory, '.f.partial')).size, 10_000 + 3 + 8192 + 5);
});

const TABLES = `CREATE DATABASE d; USE d;
CREATE TABLE plain (id INT PRIMARY KEY, v TEXT);
CREATE TABLE compressed (id INT PRIMARY KEY, v TEXT) PAGE_COMPRESSED=1;
INSERT INTO plain SELECT seq, REPEAT(MD5(seq), 20) FROM seq_1_to_5000;
INSERT INTO compressed SELECT * FROM plain;
FLUSH TABLES plain, compressed FOR EXPORT; UNLOCK TABLES`;

/** A backup with a page-compressed table, as it is written by a server with these settings. */
async function makeBackup(t: TestContext, settings: readonly string[]): Promise<Buffer> {
  const server = new Mariadb(tempDir(t), undefined, { settings });
  server.install();
  await server.start();
  try {
    server.sql(TABLES);
    return server.backup();
  } finally {
    await server.stop();
  }
}

test('a backup of a server with page-compressed tables takes no more disk than with mbstream', async (t) => {
  if (!hasProgram(t, 'mariadbd', 'mariadb-server') || !hasProgram(t, 'mbstream', 'mariadb-backup') || !isRoot(t))
    return;
  // The two layouts that pages of MariaDB have.
  for (const algorithm of sampled(['crc32', 'full_crc32'], 2, 1)) {
    const bytes = await makeBackup(t, [`--innodb-checksum-algorithm=${algorithm}`]);
    const directory = tempDir(t);
    unpackWithMbstream(bytes, join(directory, 'theirs'));
    await unpack(t, bytes, join(directory, 'ours'));
    await unpack(t, bytes, join(directory, 'piped'), [], true);
    const theirs = diskUse(join(directory, 'theirs'));
    assert.ok(theirs.get('d/compressed.ibd')! < theirs.get('d/plain.ibd')! / 2);
    for (const ours of ['ours', 'piped']) {
      assertNoLarger(diskUse(join(directory, ours)), theirs, algorithm);
      assert.deepEqual(readTree(join(directory, ours)), readTree(join(directory, 'theirs')));
    }
  }
});

if (SOAK) {
  for (const [fileSystem, make] of [
    ['XFS', ['mkfs.xfs', '-q']],
    ['ext4', ['mkfs.ext4', '-q']],
  ] as const) {
    test(`on ${fileSystem} holes are holes, and a small disk holds what mbstream fits on it`, async (t) => {
      if (!isRoot(t)) return;
      const mount = join(tempDir(t), 'mount');
      const image = join(fs.mkdtempSync('/var/tmp/tsxbstream-test-'), 'image');
      t.after(() => fs.rmSync(join(image, '..'), { recursive: true }));
      fs.mkdirSync(mount);
      fs.writeFileSync(image, '');
      fs.truncateSync(image, 540 * MIB);
      execFileSync(make[0], [...make.slice(1), image]);
      execFileSync('mount', ['-o', 'loop', image, mount]);
      try {
        for (const [what, bytes, words, kib] of LAYOUTS) {
          await unpack(t, bytes, join(mount, 'ours'), words);
          execFileSync('sync');
          // XFS keeps the list of many extents in a block of its own.
          for (const [name, taken] of diskUse(join(mount, 'ours')))
            assert.ok(taken <= kib + 16, `${what}: ${name} ${taken} KiB`);
          fs.rmSync(join(mount, 'ours'), { recursive: true });
        }
        // 640 MiB, of which 160 are more than zeros.
        const large = archive(file('a.ibd', pageCompressed(40 * 1024, 0x10021, 34354), 10 * MIB));
        unpackWithMbstream(large, join(mount, 'theirs'));
        execFileSync('sync');
        const theirs = diskUse(join(mount, 'theirs')).get('a.ibd')!;
        fs.rmSync(join(mount, 'theirs'), { recursive: true });
        await unpack(t, large, join(mount, 'ours'));
        execFileSync('sync');
        const ours = diskUse(join(mount, 'ours')).get('a.ibd')!;
        assert.ok(ours <= theirs + 64, `${ours} KiB of disk, mbstream ${theirs}`);
      } finally {
        execFileSync('umount', [mount]);
      }
    });
  }
}
