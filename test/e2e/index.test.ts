/** By an index the verbs say and write what they do without, and it is of no use for any other archive. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { archive, end, file, noise, payload, payloadLike, remove, rename, sparse } from '../helpers/archive-bytes.js';
import { walkChunks } from '../helpers/chunk-walk.js';
import { run } from '../helpers/cli.js';
import { fixture } from '../helpers/fixtures.js';
import { EXIT } from '../helpers/outcome.js';
import { inTurn, sampled, someOf } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';
import { cat, list, makeIndex } from 'tsxbstream';

interface Indexed {
  path: string;
  index: string;
}

async function indexed(context: TestContext, bytes: Buffer): Promise<Indexed> {
  const directory = tempDir(context);
  const path = join(directory, 'archive.xbstream');
  const index = join(directory, 'archive.idx');
  fs.writeFileSync(path, bytes);
  await makeIndex(path, index, { allowEmpty: bytes.length === 0 });
  return { path, index };
}

const ARCHIVES: Readonly<Record<string, () => Buffer>> = {
  'a backup of MariaDB': () => fixture('mariadb/tiny-full').bytes,
  'one with corrections': () => fixture('mariadb/tiny-ddl').bytes,
  'a compressed one': () => fixture('mariadb/tiny-full-compress-qp').bytes,
  'sparse chunks': () => fs.readFileSync(new URL('../../samples/percona-sparse.xbstream', import.meta.url)),
  'corrections of every kind, chunks to be skipped, chunks out of order': () =>
    archive(
      payload('a/late.ibd', 5000, noise(5000, 1)),
      payload('a/late.ibd', 0, noise(5000, 2)),
      end('a/late.ibd'),
      payloadLike('Z', 'note', 0, noise(100_000, 3), { flags: 1 }),
      file('a/old.ibd', noise(70_000, 4)),
      rename('a/old.ibd', 'a/new.ibd'),
      file('a/gone.ibd', 'gone'),
      remove('a/gone.ibd'),
      end('a/empty.ibd'),
      sparse(
        'a/holes.ibd',
        0,
        [
          [4096, 10],
          [8192, 20],
          [100, 0],
        ],
        noise(30, 5),
      ),
      end('a/holes.ibd'),
      file('xtrabackup_info', 'tool_name = x\n'),
    ),
  'an empty one': () => Buffer.alloc(0),
};

describe('by an index comes what comes without', { concurrency: 2 }, () => {
  for (const [turn, [what, bytesOf]] of sampled([...Object.entries(ARCHIVES).entries()], 2)) {
    test(what, async (context) => {
      const allow = bytesOf().length === 0 ? ['--allow-empty'] : [];
      const { path, index } = await indexed(context, bytesOf());
      const calls = [
        ['list', '-v', ...allow, path],
        ['list', '--json', ...allow, path],
        ['info', ...allow, path],
        ['cat', '--raw', '--include', '*.ibd*', path],
        ['list', path, 'nothing*'],
      ];
      for (const words of sampled(calls, 3, turn % 3)) {
        const [plain, by] = await Promise.all([run(words), run([...words, '--index', index])]);
        const timeless = (text: string): string => text.replace(/"elapsedSeconds":[\d.]+/g, '');
        assert.deepEqual(
          [by.code, timeless(by.stdout), by.stderr],
          [plain.code, timeless(plain.stdout), plain.stderr],
          words.join(' '),
        );
      }
      const selections = [[], ['--include', '*new*', '--include', 'ib*', '--include', '*.ibd']];
      for (const more of sampled(selections, 2, (turn / 2) % 2)) {
        const [plain, by] = [tempDir(context), tempDir(context)];
        const words = ['extract', '-q', ...allow, ...more, path, '-C'];
        const results = [await run([...words, plain]), await run([...words, by, '--index', index])];
        assert.deepEqual([results[1]!.code, results[1]!.stderr], [results[0]!.code, results[0]!.stderr]);
        assert.deepEqual(readTree(by), readTree(plain));
      }
    });
  }

  test('tables, of which names and content tell more', async (context) => {
    const sample = new URL('../../samples/mariadb-ddl.xbstream.gz', import.meta.url);
    const { path, index } = await indexed(context, gunzipSync(fs.readFileSync(sample)));
    const tables = (await run(['list', '--json', path])).stdout
      .split('\n')
      .map((line) => /"path":"([a-z0-9_]+)\/([a-z0-9_]+)\.frm"/.exec(line))
      .flatMap((found) =>
        found === null || found[1] === 'mysql' || found[1] === 'sys' ? [] : [`${found[1]!}.${found[2]!}`],
      );
    assert.ok(tables.length > 0);
    const [plain, by] = [tempDir(context), tempDir(context)];
    const words = ['extract', '-q', '--tables', tables[0]!, path, '-C'];
    const results = [await run([...words, plain]), await run([...words, by, '--index', index])];
    assert.deepEqual([results[1]!.code, results[1]!.stderr], [results[0]!.code, results[0]!.stderr]);
    assert.deepEqual(readTree(by), readTree(plain));
  });

  test('from stdin that is a file, in the middle of it, and from the library', async (context) => {
    const bytes = fixture('mariadb/tiny-full').bytes;
    const { path, index } = await indexed(context, bytes);
    const plain = await run(['list', path]);
    const behind = join(tempDir(context), 'behind');
    fs.writeFileSync(behind, Buffer.concat([noise(1000), bytes]));
    const stdin = { kind: 'file', path: behind, from: 1000 } as const;
    assert.equal((await run(['list', '--index', index], { stdin })).stdout, plain.stdout);
    const made = join(tempDir(context), 'made');
    const { files } = await makeIndex(path, made);
    const { code, stderr } = await run(['index', path, '-o', `${made}.again`]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(fs.readFileSync(`${made}.again`).equals(fs.readFileSync(index)));
    assert.ok(fs.readFileSync(made).equals(fs.readFileSync(index)));
    const { entries } = await list(path, { index: made });
    assert.deepEqual([entries.length, entries], [files, (await list(path)).entries]);
    const parts: Buffer[] = [];
    for await (const part of cat(path, 'xtrabackup_info', { index: made })) parts.push(part as Buffer);
    assert.match(Buffer.concat(parts).toString(), /tool_name/);
  });

  test('made of what comes through a pipe it is the same', async (context) => {
    const bytes = fixture('mariadb/tiny-ddl').bytes;
    const { index } = await indexed(context, bytes);
    const { code, stdoutBytes } = await run(['index'], { stdin: { kind: 'pipe', bytes } });
    assert.deepEqual([code, stdoutBytes.equals(fs.readFileSync(index))], [0, true]);
  });
});

describe('an index of another archive is refused', { concurrency: 2 }, () => {
  const bytes = archive(
    file('start', noise(100_000, 1)),
    file('db/t1.ibd', noise(600_000, 2), 100_000),
    file('db/t2.ibd', noise(600_000, 3), 100_000),
    file('end', noise(100_000, 4)),
  );
  const refused = async (
    context: TestContext,
    other: Buffer,
    words: readonly string[],
    said: RegExp,
  ): Promise<void> => {
    const { path, index } = await indexed(context, bytes);
    fs.writeFileSync(path, other);
    const [verb, ...more] = words;
    const { code, stdout, stderr } = await run([verb!, '--index', index, path, ...more]);
    assert.deepEqual([code, stdout], [EXIT.refused, ''], stderr);
    assert.match(stderr, /is the index of another archive/);
    assert.match(stderr, said);
  };
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at]! ^= 1;
    return copy;
  };
  const second = walkChunks(bytes).filter(({ path }) => path === 'db/t2.ibd')[1]!.start;

  const other = someOf(2);
  other('that is longer', (context) => refused(context, archive(bytes, end('more')), ['list'], /does not end there/));
  other('that is shorter', (context) => refused(context, bytes.subarray(0, -19), ['list'], /does not end there/));
  other('that begins otherwise', (context) => refused(context, changed(1000), ['list'], /begins, or ends/));
  other('that ends otherwise', (context) =>
    refused(context, changed(bytes.length - 1000), ['info'], /begins, or ends/),
  );
  test('whose headers are others: at the first that is read', async (context) => {
    const { path, index } = await indexed(context, bytes);
    fs.writeFileSync(path, changed(second + 20));
    const { code, stdout, stderr } = await run(['cat', '--index', index, path, 'db/t2.ibd']);
    assert.equal(code, EXIT.refused, stderr);
    // The chunk before it, which is as the index says, and no more.
    assert.equal(stdout, noise(600_000, 3).toString('utf8', 0, 100_000));
    assert.match(stderr, /is the index of another archive\n {2}the archive has another chunk at byte/);
  });

  test('nothing of such a file gets its name', async (context) => {
    const { path, index } = await indexed(context, bytes);
    fs.writeFileSync(path, changed(second + 20));
    const target = tempDir(context);
    const { code } = await run(['extract', '--index', index, path, '-C', target]);
    assert.equal(code, EXIT.refused);
    assert.deepEqual(Object.keys(readTree(target)).sort(), ['db/.t2.ibd.partial', 'db/t1.ibd', 'start']);
  });

  test('a payload that was changed is damage, as without', async (context) => {
    const { path, index } = await indexed(context, bytes);
    fs.writeFileSync(path, changed(second + 1000));
    const plain = await run(['cat', path, 'db/t2.ibd']);
    const by = await run(['cat', '--index', index, path, 'db/t2.ibd']);
    assert.deepEqual([by.code, by.stderr], [EXIT.damaged, plain.stderr]);
    assert.equal((await run(['cat', '--index', index, path, 'db/t1.ibd'])).code, 0);
  });
});

describe('there is no index', { concurrency: 2 }, () => {
  const good = archive(file('a', noise(10_000)), file('b', noise(10_000)));
  const none = async (context: TestContext, bytes: Buffer, exitCode: number, said: RegExp): Promise<void> => {
    const directory = tempDir(context);
    const path = join(directory, 'archive');
    fs.writeFileSync(path, bytes);
    for (const kind of inTurn(['pipe', 'file'] as const)) {
      const words = kind === 'file' ? [path] : [];
      const options = kind === 'pipe' ? { stdin: { kind, bytes } } : {};
      const { code, stderr } = await run(['index', ...words, '-o', join(directory, 'index')], options);
      assert.equal(code, exitCode, stderr);
      assert.match(stderr, said);
      assert.deepEqual(fs.readdirSync(directory), ['archive']);
    }
  };

  test('of a cut archive', (context) => none(context, good.subarray(0, -100), EXIT.incomplete, /XB_|cut short/));
  test('of one that lacks an end', (context) => none(context, payload('a', 0, 'b'), EXIT.incomplete, /complete/));
  test('of one with a damaged header', (context) =>
    none(context, archive(good, Buffer.from('rubbish'), good), EXIT.damaged, /chunk/));
  test('of a wrapped one', (context) =>
    none(context, gzipSync(good), EXIT.undecodable, /no index of an archive that is gzip/));
  test('of nothing', (context) => none(context, Buffer.alloc(0), EXIT.incomplete, /empty/));
});

describe('--index', { concurrency: 2 }, () => {
  const bytes = archive(file('a', noise(10_000)), file('b', noise(10_000)));

  test('needs an archive that can be read by position', async (context) => {
    const { index } = await indexed(context, bytes);
    const { code, stderr } = await run(['list', '--index', index], { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /can be read by position/);
  });

  test('takes an index, whole and of its version', async (context) => {
    const { path, index } = await indexed(context, bytes);
    const whole = fs.readFileSync(index);
    const wrong: readonly (readonly [Buffer, RegExp])[] = [
      [bytes, /is no index/],
      [Buffer.alloc(0), /is no index/],
      [whole.subarray(0, -1), /checksum does not hold/],
      [Buffer.concat([Buffer.from('TSXBIX02'), whole.subarray(8)]), /version that is not known/],
    ];
    for (const [content, said] of sampled(wrong, 2)) {
      fs.writeFileSync(index, content);
      const { code, stderr } = await run(['list', '--index', index, path]);
      assert.equal(code, EXIT.refused);
      assert.match(stderr, said);
    }
    fs.rmSync(index);
    assert.match((await run(['list', '--index', index, path])).stderr, /no such file/);
  });

  test('and --keep-going exclude each other', async (context) => {
    const { path, index } = await indexed(context, bytes);
    const { code } = await run(['extract', '--keep-going', '--index', index, path, '-C', tempDir(context)]);
    assert.equal(code, EXIT.usage);
  });

  test('gives no digest of the archive: that would be of the one that was indexed', async (context) => {
    const { path, index } = await indexed(context, bytes);
    const { code, stdout, stderr } = await run([
      'extract',
      '--digest=sha1',
      '--index',
      index,
      path,
      '-C',
      tempDir(context),
    ]);
    assert.deepEqual([code, stdout], [EXIT.usage, '']);
    assert.match(stderr, /--index and --digest exclude each other/);
  });
});
