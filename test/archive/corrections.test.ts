/** MariaDB's corrections, on a real directory: every sequence that the format describes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { XbstreamErrorCode } from '../../dist/errors.js';
import { archive, end, file, payload, remove, rename, rewriting, seek, sparse } from '../helpers/archive-bytes.js';
import { piecesOf, runInDirectory, type LaneSettings } from '../helpers/lane.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { readTree, treeOf, writeTree } from '../helpers/tree.js';

type Files = Readonly<Record<string, string>>;

interface Case {
  chunks: readonly Buffer[];
  /** What is in the target before. */
  before?: Files;
  overwrite?: boolean;
  /** The codes of the errors; none when it must succeed. */
  codes?: readonly XbstreamErrorCode[];
  /** What is in the target after. */
  after: Files;
  settings?: LaneSettings;
}

/** The same in one piece and byte by byte. */
async function check(
  context: Cleanup,
  { chunks, before = {}, overwrite = false, codes = [], after, settings }: Case,
): Promise<void> {
  for (const pieceBytes of [Infinity, 1]) {
    const target = tempDir(context);
    writeTree(target, before);
    const bytes = archive(...chunks);
    const pieces = pieceBytes === Infinity ? [bytes] : piecesOf(bytes, pieceBytes);
    const outcome = await runInDirectory(pieces, target, overwrite ? { existing: 'overwrite' } : {}, settings);
    assert.deepEqual(outcome.codes, codes);
    assert.deepEqual(readTree(target), treeOf(after));
  }
}

function cases(table: Readonly<Record<string, Case>>): void {
  for (const [name, it] of Object.entries(table)) test(name, (context) => check(context, it));
}

describe('D', () => {
  cases({
    'removes a file of the archive': { chunks: [file('a', '1'), file('b', '2'), remove('a')], after: { b: '2' } },
    'of a missing file is fine': { chunks: [file('a', '1'), remove('b'), remove('no/such/folder')], after: { a: '1' } },
    'makes no directories': { chunks: [remove('x/y/z'), file('a', '1')], after: { a: '1' } },
    'and then the path starts anew': { chunks: [file('a', '1'), remove('a'), file('a', 'new')], after: { a: 'new' } },
    'twice is fine': { chunks: [file('a', '1'), remove('a'), remove('a'), file('b', '2')], after: { b: '2' } },
    'of an empty file': { chunks: [end('a'), remove('a'), file('b', '2')], after: { b: '2' } },
    'of an empty file, which then comes again': { chunks: [end('a'), remove('a'), end('a')], after: { a: '' } },
    'takes spelling into account': {
      chunks: [file('d/a', '1'), remove('./d//a'), file('d/b', '2')],
      after: { 'd/b': '2' },
    },
    'of an open file is damage': {
      chunks: [payload('a', 0, '1'), remove('a'), end('a')],
      codes: ['XB_BAD_HEADER'],
      after: { '.a.partial': '1' },
    },
    'of the target is refused': { chunks: [file('a', '1'), remove('.')], codes: ['XB_UNSAFE_PATH'], after: { a: '1' } },
    'of a directory of this run is refused': {
      chunks: [file('d/a', '1'), remove('d')],
      codes: ['XB_TARGET_EXISTS'],
      after: { 'd/a': '1' },
    },
    'of a file that was there is refused': {
      chunks: [file('a', '1'), remove('old'), file('b', '2')],
      before: { old: 'old' },
      codes: ['XB_TARGET_EXISTS'],
      after: { a: '1', old: 'old' },
    },
    'of a file that was there, with --overwrite': {
      chunks: [file('a', '1'), remove('old'), file('b', '2')],
      before: { old: 'old' },
      overwrite: true,
      after: { a: '1', b: '2' },
    },
    'of a directory that was there is refused with --overwrite, too': {
      chunks: [remove('old')],
      before: { 'old/x': 'old' },
      overwrite: true,
      codes: ['XB_TARGET_EXISTS'],
      after: { 'old/x': 'old' },
    },
    'alone is no empty archive': { chunks: [remove('a')], after: {} },
  });
});

describe('R', () => {
  cases({
    'renames a file of the archive': { chunks: [file('a', '1'), rename('a', 'd/b')], after: { 'd/b': '1' } },
    'of a missing file: nothing happens': { chunks: [rename('a', 'b'), file('c', '3')], after: { c: '3' } },
    'of a missing file: the destination stays': { chunks: [file('b', '2'), rename('a', 'b')], after: { b: '2' } },
    'replaces a file of the archive': {
      chunks: [file('a', '1'), file('b', '22'), rename('a', 'b')],
      after: { b: '1' },
    },
    'and then the old name starts anew': {
      chunks: [file('a', '1'), rename('a', 'b'), file('a', 'new')],
      after: { a: 'new', b: '1' },
    },
    'and then the new name is taken': {
      chunks: [file('a', '1'), rename('a', 'b'), file('b', '2')],
      codes: ['XB_DUPLICATE_PATH'],
      after: { b: '1' },
    },
    'to its own name changes nothing': { chunks: [file('a', '1'), rename('a', './a')], after: { a: '1' } },
    'in a chain': {
      chunks: [file('a', '1'), file('b', '2'), rename('b', 'c'), rename('a', 'b'), rename('c', 'a')],
      after: { a: '2', b: '1' },
    },
    'of an empty file': { chunks: [end('a'), rename('a', 'd/b')], after: { 'd/b': '' } },
    'of an empty file in the place of another': {
      chunks: [end('a'), file('b', '2'), rename('a', 'b')],
      after: { b: '' },
    },
    'in the place of an empty file': { chunks: [file('a', '1'), end('b'), rename('a', 'b')], after: { b: '1' } },
    'then D of the new name': { chunks: [file('a', '1'), rename('a', 'b'), remove('b')], after: {} },
    'then D of the old name': { chunks: [file('a', '1'), rename('a', 'b'), remove('a')], after: { b: '1' } },
    'of an open file is damage': {
      chunks: [payload('a', 0, '1'), rename('a', 'b'), end('b')],
      codes: ['XB_BAD_HEADER'],
      after: { '.a.partial': '1' },
    },
    'onto an open file is damage': {
      chunks: [file('a', '1'), payload('b', 0, '2'), rename('a', 'b'), end('b')],
      codes: ['XB_BAD_HEADER'],
      after: { a: '1', '.b.partial': '2' },
    },
    'of a missing file onto an open one is damage': {
      chunks: [payload('b', 0, '2'), rename('a', 'b'), end('b')],
      codes: ['XB_BAD_HEADER'],
      after: { '.b.partial': '2' },
    },
    'onto a file that was there is refused': {
      chunks: [file('a', '1'), rename('a', 'old')],
      before: { old: 'old' },
      codes: ['XB_TARGET_EXISTS'],
      after: { a: '1', old: 'old' },
    },
    'onto a file that was there, with --overwrite': {
      chunks: [file('a', '1'), rename('a', 'old')],
      before: { old: 'old' },
      overwrite: true,
      after: { old: '1' },
    },
    'of an empty file onto one that was there is refused': {
      chunks: [end('a'), rename('a', 'old')],
      before: { old: 'old' },
      codes: ['XB_TARGET_EXISTS'],
      after: { old: 'old' },
    },
    'onto a directory is refused': {
      chunks: [file('a', '1'), file('d/x', '2'), rename('a', 'd')],
      codes: ['XB_DUPLICATE_PATH'],
      after: { a: '1', 'd/x': '2' },
    },
    'of a file that was there is refused': {
      chunks: [file('a', '1'), rename('old', 'new')],
      before: { old: 'old' },
      codes: ['XB_TARGET_EXISTS'],
      after: { a: '1', old: 'old' },
    },
  });
});

describe('P with the rewrite flag', () => {
  cases({
    'replaces what came before': {
      chunks: [file('a', 'long content'), rewriting('a', 'new'), end('a')],
      after: { a: 'new' },
    },
    'replaces an empty file': { chunks: [end('a'), rewriting('a', 'new'), end('a')], after: { a: 'new' } },
    'takes the final name away first': {
      chunks: [file('a', 'old'), rewriting('a', 'new')],
      codes: ['XB_MISSING_EOF'],
      after: { '.a.partial': 'new' },
    },
    twice: {
      chunks: [file('a', '1'), rewriting('a', '22'), end('a'), rewriting('a', '333'), end('a')],
      after: { a: '333' },
    },
    'goes on with plain chunks': {
      chunks: [file('a', 'old'), rewriting('a', 'new'), payload('a', 3, ' and more'), end('a')],
      after: { a: 'new and more' },
    },
    'means nothing on a new path': { chunks: [rewriting('a', '1'), end('a')], after: { a: '1' } },
    'means nothing on an open path: single object': {
      chunks: [rewriting('a', 'one '), payload('a', 4, 'two', { flags: 2 }), end('a', 2)],
      after: { a: 'one two' },
    },
    'must be there on a second file of one name': {
      chunks: [file('a', '1'), payload('a', 0, '2'), end('a')],
      codes: ['XB_DUPLICATE_PATH'],
      after: { a: '1' },
    },
    'is no licence for S or E': {
      chunks: [file('a', '1'), sparse('a', 0, [[0, 1]], '2', { flags: 2 }), end('a')],
      codes: ['XB_DUPLICATE_PATH'],
      after: { a: '1' },
    },
    'of a renamed file': {
      chunks: [file('a', '1'), rename('a', 'b'), rewriting('b', 'new'), end('b')],
      after: { b: 'new' },
    },
    'after a D is a new file': {
      chunks: [file('a', '1'), remove('a'), rewriting('a', '2'), end('a')],
      after: { a: '2' },
    },
    'does not touch a file that was there': {
      chunks: [rewriting('a', 'new'), end('a')],
      before: { a: 'old' },
      codes: ['XB_TARGET_EXISTS'],
      after: { a: 'old' },
    },
  });
});

describe("MariaDB's S", () => {
  cases({
    'leaves a hole': {
      chunks: [payload('a', 0, 'ab'), seek('a', 5), payload('a', 5, 'cd'), end('a')],
      after: { a: 'ab\0\0\0cd' },
    },
    'at the end makes a trailing hole': {
      chunks: [payload('a', 0, 'ab'), seek('a', 5), end('a')],
      after: { a: 'ab\0\0\0' },
    },
    'at the start': { chunks: [seek('a', 3), payload('a', 3, 'x'), end('a')], after: { a: '\0\0\0x' } },
    alone: { chunks: [seek('a', 4), end('a')], after: { a: '\0\0\0\0' } },
    'to where writing is anyway': {
      chunks: [payload('a', 0, 'ab'), seek('a', 2), payload('a', 2, 'c'), end('a')],
      after: { a: 'abc' },
    },
    twice: { chunks: [seek('a', 2), seek('a', 4), payload('a', 4, 'x'), end('a')], after: { a: '\0\0\0\0x' } },
    'back to what is written is an overlap when it is written again': {
      chunks: [payload('a', 0, 'abcd'), seek('a', 2), payload('a', 2, 'x'), end('a')],
      codes: ['XB_OVERLAP'],
      after: { '.a.partial': 'abcd' },
    },
    'of a whole file is a duplicate': {
      chunks: [file('a', '1'), seek('a', 0), end('a')],
      codes: ['XB_DUPLICATE_PATH'],
      after: { a: '1' },
    },
    "beside Percona's, whose position is large": {
      chunks: [seek('a', 8), sparse('a', 8, [[8, 4]], 'abcd'), end('a')],
      after: { a: `${'\0'.repeat(16)}abcd` },
    },
  });
});

describe('an end chunk alone', () => {
  cases({
    'makes an empty file': { chunks: [end('a'), file('b', '2'), end('d/c')], after: { a: '', b: '2', 'd/c': '' } },
    'makes none when the archive ends badly later': {
      chunks: [end('a'), end('d/c'), payload('b', 0, '2')],
      codes: ['XB_MISSING_EOF'],
      after: { '.b.partial': '2' },
    },
    'makes none before damage': {
      chunks: [end('a'), payload('b', 0, '2', { crc: 5 }), end('b')],
      codes: ['XB_BAD_CRC'],
      after: { '.b.partial': '2' },
    },
    'after a payload of no bytes is a file like others': { chunks: [payload('a', 0, ''), end('a')], after: { a: '' } },
    'twice says the same': { chunks: [end('a'), end('a'), file('b', '2')], after: { a: '', b: '2' } },
    'of a whole file means that it is empty now': {
      chunks: [file('a', '1'), file('b', '2'), end('a'), end('a')],
      after: { a: '', b: '2' },
    },
    'of a whole file, which is then renamed': {
      chunks: [file('a', '1'), end('a'), rename('a', 'b'), file('a', '3')],
      after: { a: '3', b: '' },
    },
    'of a whole file, which is then removed': {
      chunks: [file('a', '1'), end('a'), remove('a'), file('b', '2')],
      after: { b: '2' },
    },
    'of a whole file, which is then rewritten': {
      chunks: [file('a', '1'), end('a'), rewriting('a', '3'), end('a'), file('b', '2')],
      after: { a: '3', b: '2' },
    },
    'that was not selected makes none': {
      chunks: [end('a'), file('b', '2')],
      settings: { exclude: ['a'] },
      after: { b: '2' },
    },
  });
});
