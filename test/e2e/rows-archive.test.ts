/**
 * Where the C readers say success, crash or write what they should not, and this program does otherwise on purpose: rows
 * about what is in the archive. Each test has the name of its row.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { describe, test } from 'node:test';
import { archive, end, file, payload, payloadLike, remove, rename, sparse } from '../helpers/archive-bytes.js';
import { run, type Stdin } from '../helpers/cli.js';
import { openPipe } from '../helpers/pipes.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { readTree, treeOf, writeTree } from '../helpers/tree.js';

/** Unpacks an archive from a pipe into a new directory that holds `before`. */
async function unpack(
  context: Cleanup,
  bytes: Buffer,
  { args = [], before = {} }: { args?: readonly string[]; before?: Readonly<Record<string, string>> } = {},
) {
  const target = tempDir(context);
  writeTree(target, before);
  const stdin: Stdin = { kind: 'pipe', bytes };
  const result = await run(['-x', '-C', target, ...args], { stdin });
  return { target, result };
}

describe('what is in the archive', { concurrency: true }, () => {
  test('input ends between chunks, files still open', async (context) => {
    const bytes = archive(file('whole', 'all of it'), payload('a', 0, 'half of'), payload('d/b', 0, 'part of'));
    const { target, result } = await unpack(context, bytes);
    assertEnded(result, EXIT.incomplete, /a\b.*complete/, /\.a\.partial/, /d\/\.b\.partial/);
    assert.deepEqual(
      readTree(target),
      treeOf({ whole: 'all of it', '.a.partial': 'half of', 'd/.b.partial': 'part of' }),
    );
  });

  test('empty input', async (context) => {
    for (const [args, code] of [
      [[], EXIT.incomplete],
      [['--allow-empty'], EXIT.ok],
    ] as const) {
      const { target, result } = await unpack(context, Buffer.alloc(0), { args });
      assertEnded(result, code, ...(code === EXIT.ok ? [] : [/empty/, /--allow-empty/]));
      assert.deepEqual(readTree(target), {});
    }
  });

  test('an input that is shorter than a magic is cut short, not empty', async (context) => {
    const { result } = await unpack(context, Buffer.from('XBST'), { args: ['--allow-empty'] });
    assertEnded(result, EXIT.incomplete, /cut short/);
  });

  test('duplicate path', async (context) => {
    const { target, result } = await unpack(
      context,
      archive(file('a', 'first'), file('a', 'second'), file('b', 'after')),
    );
    assertEnded(result, EXIT.damaged, /a comes twice/);
    assert.deepEqual(readTree(target), treeOf({ a: 'first' }));
  });

  test('an end chunk alone for a whole file: it is empty now', async (context) => {
    const { target, result } = await unpack(context, archive(file('a', 'first'), end('a')));
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: '' }));
  });

  test('read error on stdin between chunks: stdin is a directory', async (context) => {
    const fd = fs.openSync(tempDir(context), 'r');
    const target = tempDir(context);
    const result = await run(['-x', '-C', target], { stdin: { kind: 'open', stdio: fd } });
    fs.closeSync(fd);
    assertEnded(result, EXIT.refused, /cannot read stdin/);
  });

  test('read error on stdin between chunks: stdin is open for writing only', async (context) => {
    const { readFd, writeFd } = openPipe();
    const target = tempDir(context);
    const result = await run(['-x', '-C', target], { stdin: { kind: 'open', stdio: writeFd } });
    fs.closeSync(readFd);
    fs.closeSync(writeFd);
    assertEnded(result, EXIT.refused, /cannot read stdin/);
  });

  test('read error on stdin between chunks: stdin is closed', async (context) => {
    const target = tempDir(context);
    const result = await run(['-x', '-C', target], { wrapper: ['sh', '-c', 'exec "$@" <&-', 'sh'] });
    // Node opens /dev/null in the place of a descriptor that is closed.
    assertEnded(result, EXIT.incomplete, /empty/);
  });

  test('`..` or absolute path', async (context) => {
    const unsafe = ['../out', 'a/../../out', 'a/..', '..', '/tmp/tsxbstream-absolute', '//a'];
    for (const path of sampled(unsafe, 3, 1)) {
      const { target, result } = await unpack(context, archive(file(path, 'x')));
      assertEnded(result, EXIT.damaged, /unsafe path/);
      assert.deepEqual(readTree(target), {}, path);
    }
    assert.equal(fs.existsSync('/tmp/tsxbstream-absolute'), false);
  });

  test('`..` or absolute path: -P allows absolute ones, and `..` never', async (context) => {
    const elsewhere = tempDir(context);
    const inside = await unpack(context, archive(file(`${elsewhere}/d/a`, 'x'), file('b', 'y')), { args: ['-P'] });
    assertEnded(inside.result, EXIT.ok);
    assert.deepEqual(readTree(elsewhere), treeOf({ 'd/a': 'x' }));
    assert.deepEqual(readTree(inside.target), treeOf({ b: 'y' }));
    const { result } = await unpack(context, archive(file(`${elsewhere}/../x`, 'x')), { args: ['-P'] });
    assertEnded(result, EXIT.damaged, /unsafe path/);
  });

  test('NUL byte in a path', async (context) => {
    const { target, result } = await unpack(context, archive(file('a\0b', 'x')));
    assertEnded(result, EXIT.damaged, /NUL/);
    assert.deepEqual(readTree(target), {});
  });

  test('unknown chunk, ignorable', async (context) => {
    const bytes = archive(
      payload('a', 0, 'one '),
      payloadLike('Z', 'z', 0, 'of no concern', { flags: 1, crc: 0 }),
      payloadLike('z', 'a', 0, '', { flags: 3 }),
      payload('a', 4, 'two'),
      end('a'),
    );
    const { target, result } = await unpack(context, bytes);
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'one two' }));
  });

  test('unknown chunk, not ignorable', async (context) => {
    const { target, result } = await unpack(context, archive(file('a', 'x'), payloadLike('Z', 'z', 0, 'payload')));
    assertEnded(result, EXIT.damaged, /unknown chunk type 'Z'/);
    assert.deepEqual(readTree(target), treeOf({ a: 'x' }));
  });

  test('bad CRC', async (context) => {
    const bytes = archive(file('a', 'x'), payload('b', 0, 'good'), payload('b', 4, 'bad', { crc: 1 }), end('b'));
    const { target, result } = await unpack(context, bytes);
    assertEnded(result, EXIT.damaged, /checksum mismatch in b/, /expected crc32 00000001/, /left as \.b\.partial/);
    assert.deepEqual(readTree(target), treeOf({ a: 'x', '.b.partial': 'goodbad' }));
  });

  test('sparse map that does not fit its payload', async (context) => {
    const maps = [
      sparse('a', 0, [[10, 5]], 'four'),
      sparse('a', 0, [[10, 3]], 'four'),
      sparse('a', 0, [], 'four'),
      sparse('a', 0, [[0, 0xffffffff]], 'four'),
      sparse('a', 0, [[0, 4]], 'four', { mapEntries: 2 ** 20 + 1 }),
      sparse('a', 0, [[0, 4]], 'four', { mapEntries: 0xffffffff }),
    ];
    for (const bytes of sampled(maps, 3, 1)) {
      const { target, result } = await unpack(context, archive(bytes, end('a')));
      assertEnded(result, EXIT.damaged, /sparse map/);
      assert.deepEqual(readTree(target), {});
    }
  });

  test('D or R outside the target', async (context) => {
    const corrections = [
      [remove('../precious'), /unsafe path/],
      [remove('/tmp'), /unsafe path/],
      [remove('.'), /unsafe path/],
      [remove(''), /unsafe path/],
      [remove('d/'), /unsafe path/],
      [rename('a', '../b'), /unsafe path/],
      [rename('../a', 'b'), /unsafe path/],
      [rename('a', '/tmp/tsxbstream-renamed'), /unsafe path/],
    ] as const;
    for (const [correction, said] of sampled(corrections, 4, 1)) {
      const { target, result } = await unpack(context, archive(file('a', 'x'), correction), {
        before: { 'd/old': 'y' },
      });
      assertEnded(result, EXIT.damaged, said);
      assert.deepEqual(readTree(target), treeOf({ a: 'x', 'd/old': 'y' }));
    }
    assert.equal(fs.existsSync('/tmp/tsxbstream-renamed'), false);
  });

  test('D or R of what this run has not extracted', async (context) => {
    const corrections = [
      remove('old'),
      remove('d'),
      rename('old', 'new'),
      rename('d', 'e'),
      rename('a', 'old'),
      rename('a', 'd'),
    ];
    for (const correction of sampled(corrections, 3)) {
      const before = { old: 'old content', 'd/old': 'y' };
      const { target, result } = await unpack(context, archive(file('a', 'x'), correction), { before });
      assertEnded(result, EXIT.refused, /exists in the target/);
      assert.deepEqual(readTree(target), treeOf({ a: 'x', ...before }));
    }
  });
});
