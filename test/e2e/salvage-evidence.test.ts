/** What damage says of the files around it: `extract --keep-going`, from a file and from a pipe. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { EXIT } from '../helpers/outcome.js';
import { sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const MIB = 2 ** 20;

function putIn(bytes: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

/** The start of one chunk and the end of another; what stood between is gone. */
function spliced(from: Buffer, to: Buffer, at: number): Buffer {
  return Buffer.concat([from.subarray(0, at), to.subarray(at)]);
}

/** A bit of a header is not what it was. */
function bent(chunk: Buffer, at: number): Buffer {
  const bytes = Buffer.from(chunk);
  bytes[at]! ^= 0x20;
  return bytes;
}

/** In the third byte of the length of the content of `b`. */
const IN_LENGTH = 14 + 1 + 2;
/** Behind the first bytes of the length of a path: where a chunk breaks so that it looks like damage of that alone. */
const IN_PATH_LENGTH = 11;

const large = payload('large', 0, noise(10 * MIB));
const before = [payload('open', 0, 'begun'), payload('late', 0, 'la')];
const behind = [end('open'), end('empty'), payload('late', 2, 'te'), end('late')];
const broken = (to: Buffer): Buffer => spliced(payload('longer.name', 2, 'xy'), to, IN_PATH_LENGTH);

const CASES: readonly (readonly [string, readonly Buffer[], readonly string[]])[] = [
  [
    'bytes put into a chunk cost its file alone',
    [...before, putIn(payload('a', 0, 'content'), 14 + 1 + 20 + 3, noise(60)), end('a'), ...behind],
    ['empty', 'late', 'open'],
  ],
  [
    'as do those put into a chunk of 10 MiB',
    [...before, putIn(large, 7 * MIB, noise(99)), end('large'), ...behind],
    ['empty', 'late', 'open'],
  ],
  [
    'and those between its header and its content',
    [...before, putIn(payload('a', 0, 'content'), 14 + 1 + 20, Buffer.from('a message\n')), end('a'), ...behind],
    ['empty', 'late', 'open'],
  ],
  [
    'bytes between two chunks may be what is left of one',
    [...before, file('a', 'content'), noise(60), ...behind],
    ['a', 'late'],
  ],
  [
    'a damaged header that does not go on where its file had ended cost more than that',
    [payload('longer.name', 0, 'xy'), payload('b', 0, '01'), broken(payload('b', 4, '45')), end('empty'), end('b')],
    [],
  ],
  [
    'unless that file had told a wrong length just before: where it ended is not known then',
    [
      ...[payload('b', 0, '01'), end('sure'), bent(payload('b', 2, '23'), IN_LENGTH), end('empty')],
      ...[bent(payload('b', 4, '45'), IN_PATH_LENGTH), end('late'), payload('b', 6, '67'), end('b')],
    ],
    ['empty', 'late', 'sure'],
  ],
  [
    'or a wrong place: what comes behind goes on from where it should have',
    [
      ...[payload('b', 0, '01'), end('sure'), payload('b', 2 + 1024, '23'), payload('b', 4, '45'), end('empty')],
      ...[bent(payload('b', 6, '67'), IN_PATH_LENGTH), end('late'), payload('b', 8, '89'), end('b')],
    ],
    ['empty', 'late', 'sure'],
  ],
  [
    'also where what comes behind overlaps',
    [
      ...[payload('b', 0, '0123'), end('sure'), payload('b', 2, '4567'), payload('b', 8, '89'), end('empty')],
      ...[bent(payload('b', 10, 'ab'), IN_PATH_LENGTH), end('late'), payload('b', 12, 'cd'), end('b')],
    ],
    ['empty', 'late', 'sure'],
  ],
  [
    'a file that had ended before cannot have lost anything there',
    [
      ...[payload('longer.name', 0, 'xy'), payload('a', 0, '01'), payload('b', 0, '01', { crc: 1 }), end('a')],
      ...[payload('c', 0, '01'), broken(payload('c', 4, '45')), end('c'), end('b'), file('new', '1')],
    ],
    ['a', 'new'],
  ],
  [
    'nor an empty one with a damaged chunk right behind its end',
    [
      payload('b', 0, '01'),
      end('empty'),
      putIn(payload('b', 2, '23'), 14, Buffer.alloc(30)),
      end('b'),
      file('new', '1'),
    ],
    ['empty', 'new'],
  ],
  [
    'a gap in a third file over a damaged header, too: also files that had their names lose them',
    [
      ...[file('sure', '1'), payload('longer.name', 0, 'xy'), payload('b', 0, '01'), payload('c', 0, '01')],
      ...[payload('d', 0, 'perhaps all'), broken(payload('b', 2, '23')), end('d'), end('empty'), file('new', '1')],
      ...[payload('c', 4, '45'), payload('c', 6, '67'), end('c'), end('b'), end('longer.name')],
    ],
    ['new', 'sure'],
  ],
  [
    'but not a chunk whose place is damaged',
    [
      ...[payload('b', 0, '01'), payload('c', 0, '01'), payload('b', 2, '23', { crc: 1 }), end('empty')],
      ...[payload('c', 2 + 2 ** 20, '23'), payload('c', 4, '45'), end('c'), end('b')],
    ],
    ['empty'],
  ],
  [
    'a file that went on behind the end of an empty one of a like name had not ended there',
    [payload('t1', 0, '01'), end('t3'), payload('t1', 2, '23')],
    ['t3'],
  ],
  ['one that did not may have', [payload('t1', 0, '01'), payload('t1', 2, '23'), end('t3')], []],
  [
    'the last chunk of a file under a name with a damaged byte',
    [payload('d.t1', 0, '01'), payload('d\xdct1', 2, '2'), end('d.t1'), file('other', '1')],
    ['other'],
  ],
  [
    'the end of a file under a name with several damaged bytes',
    [payload('table.ibd', 0, '01'), end('tab\xffK.ibd'), end('taken.ibd'), file('other', '1')],
    ['other', 'taken.ibd'],
  ],
  [
    'the end of a file with bytes put into its name',
    [putIn(end('table.ibd'), 14 + 8, Buffer.from('W\x01\x02')), file('other', '1')],
    ['other'],
  ],
  [
    'a byte put into the name of a file, before all its content',
    [
      file('before', 'x'.repeat(700)),
      putIn(payload('table.ibd', 0, '01'), 14 + 7, Buffer.from([0xff])),
      ...[end('table.ibd'), file('other', 'x'.repeat(700))],
    ],
    ['before', 'other'],
  ],
  [
    'the end of an empty file with a name that is damaged, as is all behind it',
    [Buffer.concat([end('table.ibd').subarray(0, 14 + 7), Buffer.from('XC'), Buffer.alloc(90)]), file('other', '1')],
    ['other'],
  ],
  [
    'a name with control characters that nothing else tells of',
    [payload('open', 0, '01'), end('tab\x02\x08.ibd'), file('other', '1')],
    ['other'],
  ],
];

describe('extract --keep-going goes by evidence', { concurrency: true }, () => {
  for (const kind of ['file', 'pipe'] as const) {
    for (const [title, chunks, saved] of sampled(CASES, 3, Number(kind === 'pipe'))) {
      test(`${title}, from a ${kind}`, async (context) => {
        const bytes = archive(...chunks);
        const path = join(tempDir(context), 'archive');
        fs.writeFileSync(path, bytes);
        const target = tempDir(context);
        const manifest = join(tempDir(context), 'manifest');
        const input = kind === 'file' ? path : '-';
        const words = ['extract', '--keep-going', '--json', '--manifest', manifest, input, '-C', target];
        const { code, stdout } = await run(words, kind === 'pipe' ? { stdin: { kind, bytes } } : {});
        assert.ok(code === EXIT.damaged || code === EXIT.incomplete, stdout);
        const names = fs.readdirSync(target).filter((name) => !name.startsWith('.'));
        assert.deepEqual(names.sort(), saved, stdout);
        const told = fs.readFileSync(manifest, 'utf8').split('\n').slice(0, -1);
        assert.deepEqual(told.map((line) => line.slice(64 + 2)).sort(), saved, 'the manifest tells of these alone');
        const listed = await run(['list', '--json', path]);
        const whole = linesOf(listed.stdout, 'entry').filter(({ complete }) => complete === true);
        // A list does not hold checksums; but what else it knows is the same.
        for (const name of saved)
          assert.ok(
            whole.some((entry) => entry['path'] === name),
            `${name} is not listed as whole`,
          );
      });
    }
  }
});
