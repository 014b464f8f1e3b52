/** What an error says to do next is what a program can do: no option of the command line is named in the library. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cat, create, extract, info, list, readChunks, readEntries, verify, writeTar, XbstreamError } from 'tsxbstream';
import { hintForPrograms } from '../../dist/library/caller/hints.js';
import { archive, file, payload } from '../helpers/archive-bytes.js';
import { fixturePath } from '../helpers/fixtures.js';
import { tempDir } from '../helpers/temp.js';

const ENCRYPTED = fixturePath('percona/base-zstd-AES256');

describe('a hint for programs', () => {
  for (const [typed, told] of [
    ['give the key: --encrypt-key-file=FILE, or the variable XBCRYPT_ENCRYPTION_KEY', 'give the key: the option key'],
    [
      'or take what is encrypted as it is: --allow-encrypted',
      'or take what is encrypted as it is: allowEncrypted: true',
    ],
    [
      'if this archive may write there: add -P (--absolute-names)',
      'if this archive may write there: add absoluteNames: true',
    ],
    ['to leave it out: add --exclude /etc/passwd', "to leave it out: add exclude: ['/etc/passwd']"],
    ['to see the names in it: tsxbstream list ARCHIVE', 'to see the names in it: list()'],
    [
      'to save the rest: ... | tsxbstream extract --keep-going --skip-existing -C out -',
      "to save the rest: extract() with keepGoing: true, existing: 'keep-same-size'",
    ],
    [
      'tsxbstream extract --overwrite (replace them) or --skip-existing (keep those of the same size)',
      "extract() with existing: 'overwrite' or existing: 'keep-same-size'",
    ],
    [
      'with the whole archive at hand, the same command with --skip-existing goes on where this run stopped',
      "with the whole archive at hand, the same call with existing: 'keep-same-size' goes on where this run stopped",
    ],
    ['from a file: tsxbstream -x < ARCHIVE, or: tsxbstream VERB ARCHIVE', 'from a file: by its path'],
    [
      'to save the rest: the same command with --keep-going --skip-existing',
      "to save the rest: the same call with keepGoing: true, existing: 'keep-same-size'",
    ],
    ['choose another place: --tmp-dir DIR', 'choose another place: the option tmpDir'],
    ['without --no-decode-stream it is undone on the way', 'without decodeStream: false it is undone on the way'],
    [
      'leave out --index, or make it anew: tsxbstream index ARCHIVE -o FILE',
      'leave out the option index, or make it anew: makeIndex()',
    ],
    ['to read them as one: tsxbstream ... --parts a.00 a.01', 'to read them as one: { parts: [...] }'],
    [
      'to save the rest: tsxbstream extract --keep-going -C DIR --parts a.00 a.01',
      'to save the rest: extract() with keepGoing: true',
    ],
    ['if it is meant: --backup=never', "if it is meant: backup: 'never'"],
    [
      'unpack it on the way: gunzip -c FILE | tsxbstream -x -C DIR',
      'unpack it on the way: gunzip -c FILE | tsxbstream -x -C DIR',
    ],
  ] as const) {
    test(typed, () => assert.equal(hintForPrograms(typed), told));
  }
});

/** What goes wrong in many ways, and what is told of it. */
const FAILING: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  'a file is there already': async (folder) => {
    await extract(fixturePath('percona/base-lz4-NONE'), folder);
    await extract(fixturePath('percona/base-lz4-NONE'), folder);
  },
  'no key': (folder) => extract(ENCRYPTED, join(folder, 'new'), { decompress: true }),
  'no key for a tar': (folder) => writeTar(ENCRYPTED, join(folder, 'tar'), { decompress: true }),
  'no key for one file': (_) => cat(ENCRYPTED, 'xtrabackup_info').toArray(),
  'a pattern': (_) => list(ENCRYPTED, { include: ['nothing'] }),
  'an empty stream, chunk by chunk': (_) => readChunks([]).next(),
  'an empty stream': (_) => readEntries([]).next(),
  'a table': (_) => list(ENCRYPTED, { tables: ['no.such'] }),
  'a cut archive': (folder) => {
    const path = join(folder, 'cut');
    fs.writeFileSync(path, archive(file('a', 'A'), payload('b', 0, 'B'.repeat(500))).subarray(0, -100));
    return extract(path, join(folder, 'new'));
  },
  'a directory': (folder) => list(folder),
  'a part of several': (folder) => {
    const bytes = file('a', 'A'.repeat(500));
    fs.writeFileSync(join(folder, 'archive.00'), bytes.subarray(0, 300));
    fs.writeFileSync(join(folder, 'archive.01'), bytes.subarray(300));
    return list(join(folder, 'archive.00'));
  },
  'what is wrapped, and not to be undone': (_) => list([gzipSync(file('a', 'A'))], { decodeStream: false }),
  'an absolute name': (folder) => {
    const path = join(folder, 'absolute');
    fs.writeFileSync(path, archive(file('/etc/a', 'A')));
    return extract(path, join(folder, 'new'));
  },
  'an absolute name, entry by entry': async (_) => {
    for await (const entry of readEntries([archive(file('/etc/a', 'A'))])) assert.ok(entry.path);
  },
  'an unfinished backup': (folder) => {
    const path = join(folder, 'unfinished');
    fs.writeFileSync(path, archive(file('ibdata1', 'A'), file('xtrabackup_checkpoints', 'a = b')));
    return info(path);
  },
  'a target that is there': async (folder) => {
    fs.writeFileSync(join(folder, 'archive'), '');
    await create([ENCRYPTED], join(folder, 'archive'));
  },
};

describe('an error of the library names no option of the command line', { concurrency: 2 }, () => {
  const typed = /(?:^|[\s(])--?[a-zA-Z]|tsxbstream [a-z]|XBCRYPT_/;
  for (const [title, fail] of Object.entries(FAILING)) {
    test(title, async (context) => {
      await assert.rejects(fail(tempDir(context)), (error: unknown) => {
        assert.ok(error instanceof XbstreamError && error.stack?.includes(error.message));
        assert.ok(error.hints.length > 0, 'it has no hint');
        for (const hint of error.hints) assert.doesNotMatch(hint, typed);
        return true;
      });
    });
  }

  test('nor does what a verification finds', async () => {
    const problems: XbstreamError[] = [];
    const found = await verify(ENCRYPTED, { deep: true, onProblem: (problem) => problems.push(problem) });
    const hints = [...found.problems, ...problems].flatMap((problem) => problem.hints);
    assert.ok(hints.length > 0);
    for (const hint of hints) assert.doesNotMatch(hint, typed);
  });

  test('nor does a warning', async () => {
    const warnings: string[] = [];
    await list([archive(file('ibdata1', 'A'))], { onWarning: (warning) => warnings.push(warning) });
    await extract([archive(file('ibdata1', 'A'))], '/nowhere', {
      dryRun: true,
      onWarning: (text) => warnings.push(text),
    });
    assert.ok(warnings.length > 0);
    for (const warning of warnings) assert.doesNotMatch(warning, typed);
  });

  test('nor why info could not read a file', async () => {
    const { unread } = await info(ENCRYPTED);
    assert.ok(unread.length > 0);
    for (const { reason } of unread) assert.doesNotMatch(reason, typed);
  });
});
