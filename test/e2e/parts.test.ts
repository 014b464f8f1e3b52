/** An archive that lies in several files is read as one: parts of split, and what came through several pipes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { extract, list, readChunks, verify } from 'tsxbstream';
import { nextNames, partsApart, previousNames } from '../../dist/input/parts/part-names.js';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot, sampled } from '../helpers/programs.js';
import { reportPath } from '../helpers/report-input.js';
import { tempDir } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

const bytes = archive(file('ibdata1', noise(300_000), 100_000), file('db/t.ibd', noise(150_000)), file('e', 'e'));
const [first, second] = [reportPath('12-one-of-two-parts.00'), reportPath('12-one-of-two-parts.01')];

test('names of parts: what comes next, what came before, how far apart', () => {
  for (const [name, next] of [
    ['d/x.00', 'd/x.01'],
    ['x.aa', 'x.ab'],
    ['x.az', 'x.ba'],
    ['x.yz', 'x.zaaa'],
    ['d/xaa', 'd/xab'],
    ['xyz', 'xzaaa'],
    ['x.89', 'x.9000'],
    ['x.9899', 'x.990000'],
    ['x.part9', 'x.part10'],
    ['x.part09', 'x.part10'],
    ['thread_0.xbstream', 'thread_1.xbstream'],
    ['2026-01-02.xb.00', '2026-01-02.xb.01'],
    ['a.01.xbstream.gz', 'a.02.xbstream.gz'],
  ] as const) {
    assert.ok(nextNames(name).includes(next), name);
    assert.equal(partsApart(name, next), 1, name);
  }
  assert.ok(previousNames('x.ab').includes('x.aa'));
  assert.deepEqual(previousNames('x.00'), []);
  assert.deepEqual(
    [partsApart('x.00', 'x.03'), partsApart('x.02', 'x.00'), partsApart('x.00', 'x.00'), partsApart('x.aa', 'y.ab')],
    [3, -2, 0, undefined],
  );
});

describe('parts of an archive', { concurrency: 2 }, () => {
  test('two of them are whole together', async (context) => {
    const target = tempDir(context);
    const { code, stderr } = await run(['extract', first, second, '--backup=never', '-C', target]);
    assert.equal(code, EXIT.ok, stderr);
    assert.deepEqual(Object.keys(readTree(target)), ['a']);
    assert.equal((await run(['verify', first, second])).code, EXIT.ok);
    assert.equal((await run(['cat', first, second, 'a'])).stdout, '1'.repeat(100));
    assert.equal((await run(['list', '--parts', first, second, '--include=a'])).code, EXIT.ok);
    assert.equal((await verify({ parts: [first, second] })).ok, true);
    assert.equal((await list({ parts: [first, second] })).entries.length, 1);
    let chunks = 0;
    for await (const { header } of readChunks({ parts: [first, second] })) if (header.path === 'a') chunks += 1;
    assert.equal(chunks, 2);
  });

  test('one of them alone says so, and names the other', async (context) => {
    const alone = [
      [first, second, EXIT.incomplete],
      [second, first, EXIT.damaged],
    ] as const;
    for (const [turn, [part, other, code]] of alone.entries()) {
      const calls = [
        ['extract', part, '-C', tempDir(context)],
        ['list', part],
        ['verify', part],
        ['tar', part],
      ];
      for (const words of sampled(calls, 2, turn)) {
        const result = await run(words);
        assert.equal(result.code, code);
        assert.ok(
          (result.stdout + result.stderr).includes(`may be one of several parts: ${other} lies beside it`),
          words[0],
        );
        assert.ok((result.stdout + result.stderr).includes(`--parts ${first} ${second}`), words[0]);
      }
    }
  });

  test('in which part something is wrong is said, and once', async (context) => {
    const directory = tempDir(context);
    const cut = bytes.subarray(0, 400_000);
    for (const [index, name] of ['x.00', 'x.01'].entries()) {
      fs.writeFileSync(join(directory, name), cut.subarray(...[[0, 120_000], [120_000]][index]!));
    }
    const parts = ['--parts', 'x.00', 'x.01'];
    const calls = [
      ['list', ...parts],
      ['verify', ...parts],
      ['verify', '--shard=1/1', ...parts],
      ['extract', ...parts, '-C', tempDir(context)],
      ['tar', ...parts],
      ['cat', '--include=db/t.ibd', ...parts],
    ];
    for (const words of sampled(calls, 2, 1)) {
      const { code, stdout, stderr } = await run(words, { cwd: directory });
      assert.notEqual(code, EXIT.ok);
      assert.equal((stdout + stderr).match(/that is byte \d+ of x\.01/g)?.length, 1, words.join(' '));
      assert.match(stdout + stderr, /a part may be missing behind x\.01: x\.02/);
    }
  });

  test('what split makes, by numbers and letters, named one by one, or by their directory', async (context) => {
    if (!hasProgram(context, 'split', 'coreutils')) return;
    const ways = [
      [['-b', '60000'], 'full.xb.'],
      [['-d', '-b', '60000'], 'full.xb.'],
      [['-n', '7', '-d', '-a', '3'], 'full.xb.part'],
      [['-b', '60000'], 'x'],
    ] as const;
    for (const [words, prefix] of sampled(ways, 4, 1)) {
      const [directory, whole] = [tempDir(context), tempDir(context)];
      fs.writeFileSync(join(whole, 'whole'), bytes);
      execFileSync('split', [...words, join(whole, 'whole'), prefix], { cwd: directory });
      const names = fs.readdirSync(directory).sort();
      assert.ok(names.length > 6);
      const target = tempDir(context);
      assert.equal(
        (await run(['extract', ...names, '-C', target, '--backup=never'], { cwd: directory })).code,
        EXIT.ok,
      );
      const expected = tempDir(context);
      await extract([bytes], expected, { backup: 'never' });
      assert.deepEqual(readTree(target), readTree(expected));
      const digest = await run(['verify', '--parts', directory, '--digest=sha256', '--json']);
      assert.equal(digest.code, EXIT.ok, digest.stdout);
      const sum = execFileSync('sha256sum', { input: bytes }).toString().split(' ')[0]!;
      assert.ok(digest.stdout.includes(sum));
      // A pattern behind the parts is one.
      const some = await run(['list', ...names, 'db/*'], { cwd: directory });
      assert.match(some.stdout, /^1 file,/m);
      assert.equal(some.code, EXIT.ok);
    }
  });

  test('a part that is missing is named; so are a wrong order, one twice, and one that was left out', async (context) => {
    const directory = tempDir(context);
    for (const [index, name] of ['x.00', 'x.01', 'x.02', 'x.03'].entries()) {
      fs.writeFileSync(join(directory, name), bytes.subarray(index * 120_000, (index + 1) * 120_000));
    }
    const said = async (...words: string[]) => {
      const result = await run(words, { cwd: directory });
      assertEnded(result, EXIT.usage);
      return result.stderr;
    };
    assert.match(await said('verify', 'x.00', 'x.01', 'x.03'), /a part is missing: x\.02/);
    assert.match(await said('list', 'x.00', 'x.02'), /a part is missing: x\.01/);
    assert.match(await said('info', 'x.01', 'x.00'), /x\.00 comes before x\.01/);
    assert.match(await said('verify', 'x.00', 'x.00'), /x\.00 is given twice/);
    assert.match(await said('verify', 'x.00', 'x.01', 'x.02'), /x\.03 is a part of the same archive/);
    assert.match(await said('verify', 'x.01', 'x.02', 'x.03'), /x\.00 is a part of the same archive/);
    assert.equal((await run(['verify', 'x.00', 'x.01', 'x.02', 'x.03'], { cwd: directory })).code, EXIT.ok);
    // As split calls them where nobody says how.
    for (const [number, letter] of ['a', 'b', 'c', 'd'].entries()) {
      fs.copyFileSync(join(directory, `x.0${number}`), join(directory, `xa${letter}`));
    }
    assert.match(await said('verify', 'xaa', 'xab', 'xad'), /a part is missing: xac/);
    assert.match(await said('verify', '--parts', 'xab', 'xaa'), /xaa comes before xab/);
    // Names that tell nothing: then the content does, and in which file it was.
    fs.renameSync(join(directory, 'x.00'), join(directory, 'begin'));
    fs.renameSync(join(directory, 'x.03'), join(directory, 'end'));
    fs.rmSync(join(directory, 'x.01'));
    const mixed = await run(['verify', '--parts', 'begin', 'end', 'x.02'], { cwd: directory });
    assert.equal(mixed.code, EXIT.damaged);
    assert.match(mixed.stdout, /that is byte \d+ of (begin|end|x\.02); the parts follow each other/);
    const cut = await run(['verify', '--parts', 'begin', 'x.02'], { cwd: directory });
    assert.notEqual(cut.code, EXIT.ok);
  });

  test('a pattern of the shell names more than ten in the order of letters: they are put in that of their numbers', async (context) => {
    const directory = tempDir(context);
    const names = Array.from({ length: 12 }, (_, index) => `x.part${index + 1}`);
    const length = Math.ceil(bytes.length / names.length);
    for (const [index, name] of names.entries()) {
      fs.writeFileSync(join(directory, name), bytes.subarray(index * length, (index + 1) * length));
    }
    for (const words of [['verify'], ['verify', '--parts']]) {
      const { code, stderr } = await run([...words, ...names.toSorted()], { cwd: directory });
      assert.equal(code, EXIT.ok, stderr);
      const lacking = await run([...words, ...names.toSorted().filter((name) => name !== 'x.part3')], {
        cwd: directory,
      });
      assertEnded(lacking, EXIT.usage, /a part is missing: x\.part3/);
    }
  });

  test('in a directory that may not be read: it is named, and nothing is called a bug', async (context) => {
    if (!isRoot(context) || !hasProgram(context, 'setpriv', 'util-linux')) return;
    const directory = tempDir(context);
    fs.chmodSync(directory, 0o711);
    const locked = join(directory, 'locked');
    fs.mkdirSync(locked, { mode: 0o711 });
    fs.copyFileSync(first, join(locked, 'x.00'));
    const wrapper = ['setpriv', '--reuid=4711', '--regid=4712', '--clear-groups'];
    for (const verb of ['list', 'verify', 'extract']) {
      const result = await run([verb, '--parts', locked], { wrapper });
      assertEnded(result, EXIT.refused, /cannot read the directory .*locked: permission denied \(EACCES\)$/m);
    }
  });

  test('only what is needed is read, also behind the first part', async (context) => {
    const directory = tempDir(context);
    const large = archive(file('big', Buffer.alloc(0)), payload('sparse', 0, noise(1000)), end('sparse'));
    const [one, two] = [join(directory, 'p.aa'), join(directory, 'p.ab')];
    // The payload that the first part ends in is a hole of 1 TiB.
    const header = payload('huge', 0, '', { payloadBytes: 2 ** 40 });
    fs.writeFileSync(one, header);
    fs.truncateSync(one, header.length + 2 ** 39);
    fs.writeFileSync(two, '');
    fs.truncateSync(two, 2 ** 39);
    fs.appendFileSync(two, archive(end('huge'), large));
    const { entries, ok } = await list({ parts: [one, two] });
    assert.deepEqual(
      [ok, entries.map(({ path, bytes: size }) => [path, size])],
      [
        true,
        [
          ['huge', 2 ** 40],
          ['big', 0],
          ['sparse', 1000],
        ],
      ],
    );
  });

  test('what came through several named pipes, each complete in itself; also compressed', async (context) => {
    const streams = [
      archive(file('ibdata1', noise(100_000), 40_000)),
      archive(file('db/t.ibd', noise(70_000))),
      archive(file('xtrabackup_info', 'tool_name = xtrabackup\n')),
    ];
    const kinds = [
      ['', (stream: Buffer) => stream],
      ['.gz', (stream: Buffer) => gzipSync(stream)],
    ] as const;
    for (const [ending, wrap] of sampled(kinds, 2, 1)) {
      const directory = tempDir(context);
      streams.forEach((stream, index) => fs.writeFileSync(join(directory, `thread_${index}${ending}`), wrap(stream)));
      const target = tempDir(context);
      const { code, stderr } = await run(['extract', '--parts', directory, '-C', target, '--backup=always']);
      assert.equal(code, EXIT.ok, stderr);
      assert.deepEqual(Object.keys(readTree(target)), ['db/t.ibd', 'ibdata1', 'xtrabackup_info']);
      fs.rmSync(join(directory, `thread_1${ending}`));
      assertEnded(await run(['list', '--parts', directory]), EXIT.usage, /a part is missing: .*thread_1/);
    }
  });

  test('every fixture, cut in three, is what it is as a whole', async (context) => {
    const root = new URL('../fixtures/', import.meta.url);
    const names = fs
      .readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(xbs|xbstream)$/.test(name));
    const directory = tempDir(context);
    for (const name of sampled(names.sort(), 12, 3)) {
      const whole = fs.readFileSync(new URL(name, root));
      const [one, two] = [Math.floor(whole.length / 3), Math.floor(whole.length / 2)];
      const parts = [whole.subarray(0, one), whole.subarray(one, two), whole.subarray(two)].map((part, index) => {
        const path = join(directory, `x.${index}`);
        fs.writeFileSync(path, part);
        return path;
      });
      fs.writeFileSync(join(directory, 'whole'), whole);
      const [together, expected] = await Promise.all(
        [{ parts }, join(directory, 'whole')].map(async (input) => {
          const { ok, problems, entries, bytes: content } = await verify(input, { backup: 'never', digests: ['sha1'] });
          const listing = await list(input, { keepGoing: true });
          return [
            ok,
            problems.map(({ code, archiveOffset }) => [code, archiveOffset]),
            entries,
            content,
            listing.entries,
          ];
        }),
      );
      assert.deepEqual(together, expected, name);
    }
  });
});
