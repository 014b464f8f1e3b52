/** Backups that mariabackup took while tables were altered (DDL), as they were met. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { list, readEntries, verify } from 'tsxbstream';
import { archive, end, file, payload } from '../helpers/archive-bytes.js';
import { run, type Stdin } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { reportInput, reportPath } from '../helpers/report-input.js';
import { tempDir } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

const EMPTIED = '14-emptied-during-backup.xbstream';
const TWICE = '15-frm-twice-after-ddl.xbstream';
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function from(kind: 'file' | 'pipe', name: string): { input: string; options: { stdin?: Stdin } } {
  return kind === 'file'
    ? { input: reportPath(name), options: {} }
    : { input: '-', options: { stdin: { kind, bytes: reportInput(name) } } };
}

describe('a MyISAM file that was emptied while the backup ran', { concurrency: true }, () => {
  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`is empty in every verb, from a ${kind}`, async (context) => {
      const { input, options } = from(kind, EMPTIED);
      for (const more of sampled([[], ['--keep-going'], ['--decompress']], 2)) {
        const target = tempDir(context);
        assertEnded(await run(['extract', '-q', input, '-C', target, ...more], options), EXIT.ok);
        assert.match(readTree(target)['d/t.MYD']!, /^0 /);
        assert.deepEqual(fs.readdirSync(join(target, 'd')).sort(), ['t.MYD', 't.MYI']);
      }
      const manifest = join(tempDir(context), 'sums');
      const verified = await run(['verify', input, '--manifest', manifest], options);
      assert.equal(verified.code, EXIT.ok, verified.stdout);
      assert.match(fs.readFileSync(manifest, 'latin1'), new RegExp(`^${EMPTY} [ *]d/t.MYD$`, 'm'));
      const listed = await run(['list', '--json', '-v', input], options);
      const entry = linesOf(listed.stdout, 'entry').find(({ path }) => path === 'd/t.MYD');
      assert.deepEqual([listed.code, entry?.['bytes'], entry?.['complete']], [EXIT.ok, 0, true]);
      assert.deepEqual(
        linesOf(listed.stdout, 'correction').map(({ kind: what, path }) => [what, path]),
        [['rewrite', 'd/t.MYD']],
      );
      assert.equal((await run(['info', input], options)).code, EXIT.ok);
      const dry = await run(['extract', '--dry-run', '--json', input, '-C', tempDir(context)], options);
      assert.deepEqual(
        linesOf(dry.stdout, 'summary').map(({ files, bytes }) => [files, bytes]),
        [[3, 1051]],
      );
      const tarred = await run(['tar', input, '-o', join(tempDir(context), 'tar')], options);
      assert.equal(tarred.code, EXIT.ok, tarred.stderr);
    });
  }

  test('with -x, with cat from a file, and in the library', async (context) => {
    const target = tempDir(context);
    const stdin = { kind: 'pipe', bytes: reportInput(EMPTIED) } as const;
    assertEnded(await run(['-x', '-C', target], { stdin }), EXIT.ok);
    assert.match(readTree(target)['d/t.MYD']!, /^0 /);
    assertEnded(await run(['cat', reportPath(EMPTIED), 'd/t.MYD']), EXIT.ok);
    assert.equal((await verify(reportPath(EMPTIED))).ok, true);
    assert.equal((await list(reportPath(EMPTIED))).entries.find(({ path }) => path === 'd/t.MYD')?.bytes, 0);
    let last = -1;
    for await (const entry of readEntries(reportPath(EMPTIED))) {
      if (entry.path !== 'd/t.MYD' || entry.kind !== 'file') continue;
      last = 0;
      for await (const piece of entry.content()) last += piece.length;
    }
    assert.equal(last, 0);
  });

  test('unless damage may have taken its new content: then the earlier stays', async (context) => {
    // The second end chunk may be that of `d/u`, whose name differs in one bit.
    const bytes = archive(file('d/t', 'old'), payload('d/u', 0, 'mine'), end('d/t'), file('z', 'z'));
    const target = tempDir(context);
    const words = ['extract', '-q', '--keep-going', '-', '-C', target];
    assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, EXIT.incomplete);
    assert.equal(fs.readFileSync(join(target, 'd/t'), 'latin1'), 'old');
    assert.equal(fs.existsSync(join(target, 'd/u')), false);
  });
});

describe('a file that mariabackup --compress sent twice without saying so', { concurrency: true }, () => {
  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`is told, with what to do; --keep-going keeps the later copy, from a ${kind}`, async (context) => {
      const { input, options } = from(kind, TWICE);
      const refused = await run(['extract', '-q', input, '-C', tempDir(context)], options);
      assertEnded(
        refused,
        EXIT.damaged,
        /\(DDL\)/,
        /may be inconsistent/,
        /take the backup again/,
        /keeps the later one/,
      );
      const target = tempDir(context);
      const kept = await run(['extract', '-q', '--keep-going', input, '-C', target], options);
      assert.equal(kept.code, EXIT.damaged);
      assert.match(kept.stderr, /take the backup again/);
      assert.doesNotMatch(kept.stdout + kept.stderr, /lost/);
      assert.equal(fs.statSync(join(target, 'd/a.frm.qp')).size, 132);
      assert.deepEqual(fs.readdirSync(join(target, 'd')).sort(), ['a.MYD', 'a.frm.qp']);
    });
  }

  test('of which the later copy is damaged: the first keeps its name', async (context) => {
    const copies = [payload('d/a.frm', 0, 'new'), archive(payload('d/a.frm', 0, 'new', { crc: 1 }), end('d/a.frm'))];
    for (const second of sampled(copies, 2, 1)) {
      const target = tempDir(context);
      const bytes = archive(file('d/a.frm', 'old'), second, file('z', 'z'));
      const words = ['extract', '-q', '--keep-going', '-', '-C', target];
      assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, EXIT.damaged);
      assert.equal(fs.readFileSync(join(target, 'd/a.frm'), 'latin1'), 'old');
      assert.equal(fs.readFileSync(join(target, 'z'), 'latin1'), 'z');
    }
  });
});
