/** The names of files that grow, and what becomes of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload, remove, rename } from '../helpers/archive-bytes.js';
import { run, start } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { openPipe } from '../helpers/pipes.js';
import { sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, readTree, treeOf, writeTree } from '../helpers/tree.js';
import { untilExists } from '../helpers/wait.js';

function unpack(target: string, bytes: Buffer, ...args: readonly string[]) {
  return run(['extract', '-q', '-', '-C', target, ...args], { stdin: { kind: 'pipe', bytes } });
}

/** The second choice of a name for the partial file of `a`. */
const SECOND = '.a~ca978112ca1bbdca.2.partial';

describe('partial names', { concurrency: true }, () => {
  test('of names of 255 bytes', async (context) => {
    const target = tempDir(context);
    const names = ['x'.repeat(255), `${'x'.repeat(254)}y`, '\xc3\xa9'.repeat(127), `d/${'z'.repeat(247)}`];
    const bytes = archive(...names.map((name) => payload(name, 0, name)));
    const cut = await unpack(target, bytes);
    assertEnded(cut, EXIT.incomplete);
    const partials = namesIn(target).map((path) => path.replace(/^.*\//, ''));
    assert.equal(partials.length, 4);
    for (const partial of partials) {
      assert.match(partial, /^\..*\.partial$/s);
      assert.ok(partial.length <= 255);
    }
    // A second run is not disturbed by them, and takes them away when its own files are whole.
    assertEnded(await unpack(target, archive(bytes, ...names.map((name) => end(name)))), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf(Object.fromEntries(names.map((name) => [name, name]))));
  });

  test('a partial file of an earlier run stays until the new file is whole', async (context) => {
    const target = tempDir(context);
    assertEnded(await unpack(target, payload('a', 0, 'first run')), EXIT.incomplete);
    assertEnded(await unpack(target, payload('a', 0, 'second run')), EXIT.incomplete);
    const both = treeOf({ '.a.partial': 'first run', [SECOND]: 'second run' });
    assert.deepEqual(readTree(target), both);
    const failing = await unpack(target, payload('a', 0, 'third run', { crc: 1 }), '--remove-partial');
    assertEnded(failing, EXIT.damaged);
    assert.deepEqual(readTree(target), both);
    assertEnded(await unpack(target, file('a', 'at last')), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'at last' }));
  });

  test('one of another file stays, whose name ends in a number', async (context) => {
    const target = tempDir(context);
    for (const name of ['a', 'a.2']) assertEnded(await unpack(target, payload(name, 0, name)), EXIT.incomplete);
    assertEnded(await unpack(target, file('a', 'whole')), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'whole', '.a.2.partial': 'a.2' }));
  });

  test('no link is followed that stands in the place of one', async (context) => {
    const target = tempDir(context);
    const outside = join(tempDir(context), 'outside');
    fs.writeFileSync(outside, 'precious');
    fs.symlinkSync(outside, join(target, '.a.partial'));
    fs.linkSync(outside, join(target, '.b.partial'));
    fs.symlinkSync(join(target, 'nowhere'), join(target, '.c.partial'));
    assertEnded(await unpack(target, archive(file('a', 'x'), file('b', 'y'), file('c', 'z'))), EXIT.ok);
    assert.equal(fs.readFileSync(outside, 'latin1'), 'precious');
    const tree = readTree(target);
    for (const [name, content] of [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'z'],
    ] as const) {
      assert.equal(tree[name], treeOf({ [name]: content })[name]);
    }
    assert.equal(fs.existsSync(join(target, 'nowhere')), false);
  });

  const places = [
    ['before', [file('.a.partial', 'stored'), file('a', 'x')]],
    ['after', [file('a', 'x'), file('.a.partial', 'stored')]],
    ['while it is open', [payload('a', 0, 'x'), file('.a.partial', 'stored'), payload('a', 1, 'y'), end('a')]],
    [
      'while it is open, and its second choice too',
      [payload('a', 0, 'x'), file('.a.partial', 'stored'), file(SECOND, 'also'), payload('a', 1, 'y'), end('a')],
    ],
    [
      'around it',
      [
        payload('.a.partial', 0, 'stor'),
        payload('a', 0, 'x'),
        payload('.a.partial', 4, 'ed'),
        end('a'),
        end('.a.partial'),
      ],
    ],
    ['as an end chunk alone', [payload('a', 0, 'x'), end('.a.partial'), end('a')]],
  ] as const;
  for (const [when, chunks] of sampled(places, 2, 1)) {
    test(`a stored file that is named like one ${when}`, async (context) => {
      const target = tempDir(context);
      assertEnded(await unpack(target, archive(...chunks)), EXIT.ok);
      const expected: Record<string, string> = { a: 'x', '.a.partial': 'stored' };
      if (when.startsWith('while')) expected['a'] = 'xy';
      if (when.includes('second')) expected[SECOND] = 'also';
      if (when.includes('alone')) expected['.a.partial'] = '';
      assert.deepEqual(readTree(target), treeOf(expected));
    });
  }

  test('a stored file that is named like one, cut short itself', async (context) => {
    const target = tempDir(context);
    const bytes = archive(payload('a', 0, 'x'), payload('.a.partial', 0, 'y'));
    assertEnded(await unpack(target, bytes), EXIT.incomplete);
    assert.deepEqual(Object.values(readTree(target)).sort(), Object.values(treeOf({ a: 'x', b: 'y' })).sort());
    assert.equal(fs.existsSync(join(target, '.a.partial')), false);
  });

  test('a rename to the name of one that is in use', async (context) => {
    const target = tempDir(context);
    const bytes = archive(payload('a', 0, 'x'), file('b', 'stored'), rename('b', '.a.partial'), end('a'));
    assertEnded(await unpack(target, bytes), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'x', '.a.partial': 'stored' }));
  });

  test('a D of the name of one that is in use is one of a missing file', async (context) => {
    const target = tempDir(context);
    const bytes = archive(payload('a', 0, 'x'), remove('.a.partial'), end('a'));
    assertEnded(await unpack(target, bytes), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'x' }));
  });

  test("--remove-partial removes a run's own, and no other", async (context) => {
    const target = tempDir(context);
    writeTree(target, { '.other.partial': 'another run', '.a.partial': 'an earlier run' });
    const bytes = archive(file('w', 'whole'), payload('a', 0, 'x'), payload('d/b', 0, noise(100_000)));
    const result = await unpack(target, bytes, '--remove-partial');
    assertEnded(result, EXIT.incomplete);
    assert.doesNotMatch(result.stderr, /left as/);
    assert.deepEqual(readTree(target), {
      '.a.partial': treeOf({ a: 'an earlier run' })['a'],
      '.other.partial': treeOf({ a: 'another run' })['a'],
      'd/': 'empty directory',
      w: treeOf({ w: 'whole' })['w'],
    });
  });
});

describe('somebody else in the target', { concurrency: true }, () => {
  /** Unpacks the first part of an archive, lets somebody do something in the target, and unpacks the rest. */
  async function meddle(target: string, first: Buffer, rest: Buffer, awaited: string, meddling: () => void) {
    const { readFd, writeFd } = openPipe();
    const { ended } = start(['-x', '-C', target], { stdin: { kind: 'open', stdio: readFd } });
    fs.closeSync(readFd);
    fs.writeSync(writeFd, first);
    await untilExists(join(target, awaited));
    meddling();
    fs.writeSync(writeFd, rest);
    fs.closeSync(writeFd);
    return ended;
  }

  test('replaces a partial file: it does not get the final name', async (context) => {
    const target = tempDir(context);
    const result = await meddle(
      target,
      payload('a', 0, 'x'),
      archive(payload('a', 1, 'y'), end('a')),
      '.a.partial',
      () => {
        fs.renameSync(join(target, '.a.partial'), join(target, 'elsewhere'));
        fs.writeFileSync(join(target, '.a.partial'), 'something else');
      },
    );
    assertEnded(result, EXIT.refused, /somebody else replaced/);
    assert.equal(fs.existsSync(join(target, 'a')), false);
    assert.equal(fs.readFileSync(join(target, '.a.partial'), 'latin1'), 'something else');
  });

  test('replaces a partial file by a symbolic link', async (context) => {
    const target = tempDir(context);
    const outside = join(tempDir(context), 'outside');
    fs.writeFileSync(outside, 'precious');
    const result = await meddle(target, payload('a', 0, 'x'), end('a'), '.a.partial', () => {
      fs.rmSync(join(target, '.a.partial'));
      fs.symlinkSync(outside, join(target, '.a.partial'));
    });
    assertEnded(result, EXIT.refused, /somebody else replaced/);
    assert.equal(fs.existsSync(join(target, 'a')), false);
    assert.equal(fs.readFileSync(outside, 'latin1'), 'precious');
  });

  test('replaces a partial file that is not open at the moment by a named pipe: nobody waits for its reader', async (context) => {
    const target = tempDir(context);
    // More than are open at a time.
    const names = Array.from({ length: 700 }, (_, index) => `f${index}`);
    const result = await meddle(
      target,
      archive(...names.map((name) => payload(name, 0, 'x'))),
      archive(...names.map((name) => payload(name, 1, 'y')), ...names.map((name) => end(name))),
      '.f699.partial',
      () => {
        fs.rmSync(join(target, '.f0.partial'));
        execFileSync('mkfifo', [join(target, '.f0.partial')]);
      },
    );
    assertEnded(result, EXIT.refused, /somebody else replaced the partial file of f0 /);
  });

  test('removes a partial file', async (context) => {
    const target = tempDir(context);
    const result = await meddle(target, payload('a', 0, 'x'), end('a'), '.a.partial', () =>
      fs.rmSync(join(target, '.a.partial')),
    );
    assertEnded(result, EXIT.refused, /\ba\b/);
    assert.deepEqual(namesIn(target), []);
  });

  test('replaces a directory by a symbolic link: what is in use stays in use', async (context) => {
    const target = tempDir(context);
    // Where others may write, they may do this; whom the directory belongs to is trusted.
    fs.chmodSync(target, 0o777);
    const outside = tempDir(context);
    const rest = archive(payload('d/a', 1, 'y'), end('d/a'), file('d/b', 'z'), file('d/e/f', 'w'));
    const result = await meddle(target, payload('d/a', 0, 'x'), rest, 'd/.a.partial', () => {
      fs.renameSync(join(target, 'd'), join(target, 'moved'));
      fs.symlinkSync(outside, join(target, 'd'));
    });
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(outside), {});
    assert.deepEqual(readTree(join(target, 'moved')), treeOf({ a: 'xy', b: 'z', 'e/f': 'w' }));
  });

  test('puts a symbolic link where a directory is to be', async (context) => {
    const target = tempDir(context);
    const outside = tempDir(context);
    const result = await meddle(target, payload('a', 0, 'x'), archive(file('d/b', 'z'), end('a')), '.a.partial', () =>
      fs.symlinkSync(outside, join(target, 'd')),
    );
    assertEnded(result, EXIT.refused, /d in the target is a symbolic link/);
    assert.deepEqual(readTree(outside), {});
  });
});
