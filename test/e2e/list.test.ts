/** `list` agrees with what an extraction would make. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { archive, end, file, payload, remove, rename } from '../helpers/archive-bytes.js';
import { PROGRAM, run, start } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { linesOf } from '../helpers/json-lines.js';
import { piecesOf, runInMemory, treeInMemory } from '../helpers/lane.js';
import { largeName, writeLargeArchive } from '../helpers/large-archive.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

/** Size by name, of what unpacking gives. */
async function unpackedSizes(bytes: Buffer): Promise<Record<string, number>> {
  const { codes, output } = await runInMemory(piecesOf(bytes, 65536));
  assert.deepEqual(codes, []);
  const tree = Object.entries(treeInMemory(output));
  return Object.fromEntries(tree.map(([path, text]) => [path, Number(text.split(' ')[0])]));
}

describe('list of every fixture agrees with the unpacked tree', { concurrency: true }, () => {
  for (const name of sampled(FIXTURE_NAMES, 20, 3)) {
    test(name, async (context) => {
      const { bytes } = fixture(name);
      const expected = await unpackedSizes(bytes);
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const [json, text] = await Promise.all([
        run(['list', path, '--json']),
        run(['ls', '--bytes'], { stdin: { kind: 'pipe', bytes } }),
      ]);
      assert.deepEqual([json.code, json.stderr, text.code, text.stderr], [0, '', 0, '']);
      const entries = linesOf(json.stdout, 'entry');
      assert.deepEqual(Object.fromEntries(entries.map((entry) => [entry['path'], entry['bytes']])), expected);
      assert.ok(entries.every((entry) => entry['complete'] === true));
      const [summary] = linesOf(json.stdout, 'summary');
      assert.equal(summary!['entries'], Object.keys(expected).length);
      assert.equal(summary!['archiveBytes'], bytes.length);
      const lines = text.stdout.trimEnd().split('\n').slice(0, -1);
      const listed = lines.map((line) => /^ *(\d+) +whole +\S+ +(.*)$/.exec(line)!);
      assert.deepEqual(Object.fromEntries(listed.map(([, size, path]) => [path, Number(size)])), expected);
    });
  }
});

describe('list', { concurrency: true }, () => {
  const bytes = archive(
    file('a/small.ibd.zst.xbcrypt', 'x'),
    file('b/large.ibd', 'y'.repeat(3000)),
    end('empty'),
    file('old', 'z'),
    rename('old', 'new\u001b[31m'),
    remove('gone'),
  );
  const stdin = { kind: 'pipe', bytes } as const;

  test('--sort', async () => {
    const names = async (by: string) => {
      const { stdout } = await run(['list', '--json', '--sort', by], { stdin });
      return linesOf(stdout, 'entry').map(({ path }) => path);
    };
    assert.deepEqual(await names('archive'), ['a/small.ibd.zst.xbcrypt', 'b/large.ibd', 'empty', 'new\u001b[31m']);
    assert.equal((await names('size'))[0], 'b/large.ibd');
    assert.deepEqual((await names('name'))[3], 'new\u001b[31m');
  });

  test('a line is as the contract has it; names are made printable', async () => {
    const { stdout } = await run(['list', '--json', '-', 'a/*'], { stdin });
    assert.equal(
      stdout.split('\n')[0],
      '{"type":"entry","path":"a/small.ibd.zst.xbcrypt","bytes":1,"chunks":2,"complete":true,"sparse":false,"layers":["xbcrypt","zstd"]}',
    );
    const text = await run(['list'], { stdin });
    assert.ok(text.stdout.includes(String.raw`new\x1b[31m`) && !text.stdout.includes('\u001b'));
  });

  test('-v tells corrections and positions', async () => {
    const { stdout } = await run(['list', '-v'], { stdin });
    assert.match(stdout, /renames old to new/);
    assert.match(stdout, /removes gone \(there is no such file\)/);
    const json = await run(['list', '-v', '--json'], { stdin });
    assert.equal(linesOf(json.stdout, 'correction').length, 2);
    assert.equal(linesOf(json.stdout, 'entry')[0]?.['archiveOffset'], 0);
  });

  test('what is not whole is listed, and said', async () => {
    const cut = archive(file('a', 'A'), payload('b', 0, 'B'));
    const { code, stdout, stderr } = await run(['list', '--json'], { stdin: { kind: 'pipe', bytes: cut } });
    assert.equal(code, EXIT.incomplete);
    assert.match(stderr, /before b is complete/);
    assert.deepEqual(
      linesOf(stdout, 'entry').map(({ path, complete }) => [path, complete]),
      [
        ['a', true],
        ['b', false],
      ],
    );
    assert.equal(linesOf(stdout, 'summary')[0]?.['complete'], false);
    assert.equal(linesOf(stdout, 'error')[0]?.['code'], 'XB_MISSING_EOF');
  });

  test('a file that is cut is not called damaged, unless other damage may have cost it its end', async (context) => {
    const directory = tempDir(context);
    const states = async (bytes: Buffer) => {
      const path = join(directory, 'archive');
      fs.writeFileSync(path, bytes);
      const { stdout } = await run(['list', path]);
      const json = await run(['list', '--json', path]);
      const cuts = linesOf(json.stdout, 'entry').map(({ cut }) => cut);
      return [Array.from(stdout.matchAll(/^ *\d+ +(\w+) +- +(\w)$/gm), ([, state, name]) => `${name}: ${state}`), cuts];
    };
    const whole = archive(file('a', 'A'), file('b', 'B'.repeat(500)));
    assert.deepEqual(await states(whole), [
      ['a: whole', 'b: whole'],
      [undefined, undefined],
    ]);
    // Inside a chunk, and before the end chunk.
    for (const cut of sampled([whole.subarray(0, -200), whole.subarray(0, whole.length - end('b').length)], 2, 1)) {
      assert.deepEqual(await states(cut), [
        ['a: whole', 'b: cut'],
        [undefined, true],
      ]);
    }
    const damaged = archive(payload('a', 0, 'A'), Buffer.alloc(300, '!'), file('c', 'C'), payload('b', 0, 'B'));
    assert.deepEqual(await states(damaged), [
      ['a: DAMAGED', 'c: whole', 'b: DAMAGED'],
      [undefined, undefined, undefined],
    ]);
  });

  test('names its columns on a terminal, and only there', (context) => {
    if (!hasProgram(context, 'script', 'bsdutils')) return;
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    const onTerminal = (words: string): string[] => {
      const command = `${process.execPath} ${PROGRAM} list ${words} ${path}`;
      return execFileSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' }).split(/\r?\n/);
    };
    assert.match(onTerminal('')[0]!, /^ *SIZE {2}STATE {4}LAYERS {8}NAME$/);
    const [header, first] = onTerminal('-v') as [string, string];
    assert.match(header, /^ *SIZE {2}CHUNKS {2}OFFSET {2}STATE {4}LAYERS {8}NAME$/);
    // Each title stands over its column: numbers end where it ends, words begin where it begins.
    assert.equal(first.indexOf('  whole') + 2, header.indexOf('STATE'));
    assert.equal(first.slice(0, header.indexOf('OFFSET') + 6).at(-1), '0');
    assert.equal(first.indexOf('a/small'), header.indexOf('NAME'));
    assert.match(onTerminal('-q')[0]!, /whole/);
    for (const words of sampled([[], ['-v']], 2)) {
      const piped = execFileSync(process.execPath, [PROGRAM, 'list', ...words, path], { encoding: 'utf8' });
      assert.match(piped.split('\n')[0]!, /^ *1 .*whole.*a\/small/);
    }
  });

  test('a pattern that matches nothing; a pattern given first; an empty input', async (context) => {
    assert.equal((await run(['list', '-', 'nothing*'], { stdin })).code, EXIT.refused);
    const first = await run(['list', 'shop/*'], { stdin });
    assert.equal(first.code, EXIT.usage);
    assert.match(first.stderr, /tsxbstream list - 'shop\/\*' < ARCHIVE/);
    const path = join(tempDir(context), 'empty');
    fs.writeFileSync(path, '');
    assert.equal((await run(['list', path])).code, EXIT.incomplete);
    assert.equal((await run(['list', '--allow-empty', path])).code, EXIT.ok);
  });

  test('what is compressed or encrypted as a whole is not searched for chunks', async (context) => {
    const path = join(tempDir(context), 'large.gz');
    fs.writeFileSync(path, Buffer.concat([Buffer.from([0x1f, 0x8b, 8]), Buffer.alloc(600), file('a', 'A')]));
    fs.truncateSync(path, 2 ** 42);
    const whole = [
      ['list', path],
      ['info', path],
      ['verify', path],
      ['extract', '--keep-going', path, '-C', tempDir(context)],
    ];
    for (const words of sampled(whole, 3)) {
      const { code, stdout, stderr } = await run(words);
      assert.equal(code, EXIT.damaged, words[0]);
      assert.match(stdout + stderr, /gzip member cannot be decoded/);
      assert.doesNotMatch(stdout, /^ *1 +whole/m);
    }
    const part = [
      ['cat', path, 'a'],
      ['list', path, 'a'],
    ];
    for (const words of sampled(part, 2)) {
      const { code, stderr } = await run(words);
      assert.equal(code, EXIT.damaged, words[0]);
      assert.doesNotMatch(stderr, /matches/);
    }
    const json = await run(['list', '--json', path]);
    assert.equal(linesOf(json.stdout, 'summary')[0]?.['complete'], false);
    const digest = await run(['verify', '--digest=sha1', path]);
    assert.match(digest.stdout + digest.stderr, /there is no digest of it/);
  });

  test('ends quietly when nobody reads on', async () => {
    const many = archive(...Array.from({ length: 20_000 }, (_, index) => end(`directory/of/file${index}`)));
    const { child, ended } = start(['list'], { stdin: { kind: 'pipe', bytes: many } });
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { code, stderr } = await ended;
    assert.deepEqual([code === 0 || code === EXIT.refused, stderr], [true, '']);
  });

  test('--tables takes what a table and a prepare need', async () => {
    const backup = archive(
      ...['ibdata1', 'xtrabackup_info', 'mysql.ibd', 'undo_001'].map((name) => end(name)),
      ...['shop/orders.ibd', 'shop/my@002dtable.ibd.zst.xbcrypt', 'shop/orders_old.ibd', 'other/orders.ibd'].map((n) =>
        end(n),
      ),
      ...['shop/log#P#p0.ibd.delta', 'shop/log#p#p1#sp#s0.ibd.meta'].map((name) => end(name)),
    );
    const list = async (tables: string) => {
      const { stdout } = await run(['list', '--json', '--tables', tables], { stdin: { kind: 'pipe', bytes: backup } });
      return linesOf(stdout, 'entry').map(({ path }) => path);
    };
    const needed = ['ibdata1', 'xtrabackup_info', 'mysql.ibd', 'undo_001'];
    assert.deepEqual(await list('shop.orders'), [...needed, 'shop/orders.ibd']);
    assert.deepEqual(await list('shop.my-table,shop.log'), [
      ...needed,
      'shop/my@002dtable.ibd.zst.xbcrypt',
      'shop/log#P#p0.ibd.delta',
      'shop/log#p#p1#sp#s0.ibd.meta',
    ]);
    const none = await run(['list', '--tables', 'shop.none'], { stdin: { kind: 'pipe', bytes: backup } });
    assert.equal(none.code, EXIT.refused);
    assert.equal(
      (await run(['list', '--tables', 'none'], { stdin: { kind: 'pipe', bytes: backup } })).code,
      EXIT.usage,
    );
  });
});

/** Bytes that a run of the program reads by position, and how often. */
function tracedReads(context: TestContext, args: readonly string[]): { reads: number; bytes: number } {
  const log = join(tempDir(context), 'trace');
  execFileSync('strace', ['-f', '-e', 'trace=pread64', '-o', log, process.execPath, PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const calls = fs.readFileSync(log, 'latin1').match(/pread64\(.*= (\d+)$/gm) ?? [];
  return { reads: calls.length, bytes: calls.reduce((sum, call) => sum + Number(/(\d+)$/.exec(call)![1]), 0) };
}

describe('an archive of 100 GiB', () => {
  test('list, cat and extract read headers, and of payloads only their own', (context) => {
    if (!hasProgram(context, 'strace', 'strace')) return;
    const directory = tempDir(context);
    const path = join(directory, 'archive');
    const shape = SOAK
      ? { chunkBytes: 10_737_416, files: 5000, chunksPerFile: 2 }
      : { chunkBytes: 37_580_956, files: 2700, chunksPerFile: 1 };
    // tmpfs would count the holes where swap is short, but never gives them room.
    const size = writeLargeArchive(path, shape);
    assert.ok(size > 100e9);
    const chunks = shape.files * (shape.chunksPerFile + 1);
    const headers = chunks * 4096 + 1_000_000;
    const own = shape.chunkBytes * shape.chunksPerFile;
    const { reads, bytes } = tracedReads(context, ['list', '-q', path]);
    assert.ok(reads < chunks * 1.2 && bytes < headers, `list: ${reads} reads of ${bytes} bytes`);
    // Two looks for where the file is, and the file.
    const cat = tracedReads(context, ['cat', path, largeName(70)]);
    assert.ok(cat.bytes < 2 * headers + own * 1.1, `cat: ${cat.bytes} bytes`);
    const target = join(directory, 'target');
    const extract = tracedReads(context, ['extract', '-q', path, '--tables', 'db.t70', '-C', target]);
    assert.ok(extract.bytes < 2 * headers + own * 1.1, `extract: ${extract.bytes} bytes`);
    assert.equal(fs.statSync(join(target, largeName(70))).size, own);
  });
});
