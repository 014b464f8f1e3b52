/** Reading goes on after damage, and nothing that is whole is called damaged. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload, payloadLike } from '../helpers/archive-bytes.js';
import { rawPath } from '../../dist/format/stored-path.js';
import { backupFinding } from '../../dist/backup/backup-state.js';
import { walkChunks } from '../helpers/chunk-walk.js';
import { fixture } from '../helpers/fixtures.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { salvage } from '../helpers/salvage.js';
import { tenDamages } from '../helpers/ten-damages.js';

/** Bytes within the path of a chunk are missing. */
function shortened(chunk: Buffer): Buffer {
  return Buffer.concat([chunk.subarray(0, 16), chunk.subarray(20)]);
}

for (const seekable of [true, false]) {
  describe(seekable ? 'from a file' : 'from a pipe', { concurrency: true }, () => {
    for (const pieceBytes of sampled([1, 777, 4096, 1_000_000], 2, Number(seekable))) {
      test(`each of twelve damages is found where it is, in pieces of ${pieceBytes}`, async () => {
        const { bytes, damages, good } = tenDamages();
        const { errors, files, lost } = await salvage(bytes, seekable, pieceBytes);
        for (const { kind, path, from, to } of damages) {
          const found = errors.filter(
            ({ path: named, details, archiveOffset }) =>
              (named === path || details.some((line) => line.includes(path))) &&
              archiveOffset! >= from &&
              archiveOffset! <= to,
          );
          assert.ok(
            found.length > 0,
            `${kind}: ${errors.map(({ code, path: named }) => `${code} ${named}`).join(', ')}`,
          );
          assert.ok(!files.has(path), `${kind}: a damaged file has its final name`);
          assert.ok(lost.includes(path), `${kind}: the file is not among the lost`);
        }
        for (const [path, content] of Object.entries(good)) assert.deepEqual(files.get(path), content, path);
        assert.equal(lost.length, damages.length);
        for (const { path, details } of errors) assert.match([path, ...details].join(), /bad\//);
        for (const { path } of errors) assert.doesNotMatch(path ?? '', /good/);
      });
    }

    test('a length that reaches behind the end of the archive hides nothing', async () => {
      const long = payload('a', 0, noise(5000), { payloadBytes: 2 ** 40 });
      const { errors, files } = await salvage(archive(long, end('a'), file('b', 'B')), seekable);
      assert.deepEqual([errors[0]?.code, errors[0]?.path], ['XB_BAD_HEADER', 'a']);
      assert.deepEqual([...files.keys()], ['b']);
    });

    test('a length that reaches into lines of text hides nothing', async () => {
      const long = payload('a', 0, 'content', { payloadBytes: 200, crc: 1 });
      const text = Buffer.from('a line that a program has printed, as programs do\n'.repeat(6));
      const { errors, files } = await salvage(archive(long, end('a'), file('b', 'B'), text, file('c', 'C')), seekable);
      assert.deepEqual([errors[0]?.code, errors[0]?.path], ['XB_BAD_CRC', 'a']);
      assert.deepEqual([...files.keys()], ['b', 'c']);
    });

    test('a path that reaches behind the end of the archive costs its own file alone', async () => {
      const long = payload('damaged', 0, 'x'.repeat(9));
      long.writeUInt32LE(7 + 256, 10);
      const bytes = archive(file('a', 'A'), end('b'), long, end('damaged'), file('c', 'C'));
      // With half a header at the end it is read in another way.
      for (const rest of [0, 10]) {
        const { errors, files } = await salvage(archive(bytes, end('cut').subarray(0, rest)), seekable);
        assert.deepEqual([errors[0]?.code, errors[0]?.path], ['XB_BAD_HEADER', 'damaged']);
        assert.deepEqual([...files.keys()].sort(), ['a', 'b', 'c']);
      }
      // Where it cannot be told what was lost, an end chunk that follows is not that of an empty file.
      long[0]! ^= 1;
      long.writeUInt32LE(7 + 256 + 65536, 10);
      const { files } = await salvage(archive(file('a', 'A'), long, end('damaged')), seekable);
      assert.deepEqual([...files.keys()], ['a']);
    });

    test('a damaged header in which bytes of the name are missing: the file may have been this one', async () => {
      const { errors, files } = await salvage(
        archive(shortened(payload('d/t1.ibd', 0, 'x')), end('d/t1.ibd'), file('other', '1')),
        seekable,
      );
      assert.notDeepEqual(errors, []);
      assert.deepEqual([...files.keys()], ['other']);
      const parts = [payload('d/t1.ibd', 0, 'x'), shortened(payload('d/t1.ibd', 1, 'y'))];
      const rest = await salvage(archive(...parts, end('d/t1.ibd'), file('other', '1')), seekable);
      assert.deepEqual([...rest.files.keys()], ['other']);
    });

    test('an archive that ends inside a header: that says nothing against an empty file before', async () => {
      const cut = payload('cut', 0, 'x');
      for (let length = 1; length < cut.length - 1; length += 1) {
        const bytes = archive(file('a', 'A'), end('empty'), cut.subarray(0, length));
        const { errors, files } = await salvage(bytes, seekable);
        assert.deepEqual([[...files.keys()], errors[0]?.code], [['a', 'empty'], 'XB_TRUNCATED'], `${length}`);
      }
    });

    test('cut short within a payload', async () => {
      const { errors, files, lost } = await salvage(
        archive(file('b', 'B'), payload('a', 0, noise(5000))).subarray(0, 3000),
        seekable,
      );
      assert.deepEqual(
        errors.map(({ code, path }) => [code, path]),
        [['XB_TRUNCATED', 'a']],
      );
      assert.deepEqual([[...files.keys()], lost], [['b'], ['a']]);
    });

    test('an archive within an archive is content, also when the chunk around it is damaged', async () => {
      const inner = archive(file('inner', 'I'));
      const outer = archive(file('first', '1'), payload('outer', 0, inner), end('outer'), file('last', '2'));
      const damaged = Buffer.from(outer);
      damaged[outer.indexOf(inner) - 1]! ^= 1; // the checksum
      const { files } = await salvage(damaged, seekable);
      assert.deepEqual([...files.keys()], ['first', 'last']);
    });

    test('what is open where bytes cannot be read gets no final name; what is empty may not be', async () => {
      const bytes = archive(payload('a', 0, 'x'), noise(500, 7), end('a'), end('empty'), file('b', 'B'));
      const { files, lost, errors } = await salvage(bytes, seekable);
      assert.deepEqual([...files.keys()], ['b']);
      assert.deepEqual(lost.sort(), ['a', 'empty']);
      assert.equal(errors[0]?.code, 'XB_BAD_MAGIC');
    });

    // 'b' and 'c' differ in one bit: a chunk that does not fit the one may be the other's.
    const backwards = [payload('b', 10, 'later'), payload('b', 0, 'the begin.'), end('b')];
    test('chunks in any order say nothing against files of a similar name, nor against the file being emptied', async () => {
      for (const others of [[file('c', noise(10))], [end('c')], [end('b')]]) {
        const { errors, files, lost } = await salvage(archive(...backwards, ...others), seekable);
        assert.deepEqual([errors, lost], [[], []]);
        const isEmptied = others[0]!.equals(end('b'));
        assert.deepEqual([...files.keys()], isEmptied ? ['b'] : ['b', 'c']);
        assert.equal(files.get('b')!.toString(), isEmptied ? '' : 'the begin.later');
      }
    });

    test('a chunk that leaves a gap in its file may have been the end of another, which loses its name', async () => {
      const whole = [file('c', noise(10)), payload('b', 10, 'later'), end('b')];
      for (const chunks of [whole, whole.slice(0, 2), [...whole.slice(1), whole[0]!]]) {
        const { errors, files, lost } = await salvage(archive(...chunks), seekable);
        assert.ok(errors.length > 0);
        assert.deepEqual([[...files.keys()], lost.sort()], [[], ['b', 'c']]);
      }
    });

    test('the end of a file may have come first, where nothing can be read', async () => {
      const bytes = archive(file('first', '1'), noise(100, 9), ...backwards, file('last', '2'));
      const { files, lost } = await salvage(bytes, seekable);
      assert.deepEqual([[...files.keys()], lost], [['first', 'last'], ['b']]);
    });

    test('nothing but text is no archive, and told once', async () => {
      const { errors } = await salvage(Buffer.from('xtrabackup: error: no such thing\n'.repeat(100)), seekable);
      assert.deepEqual(
        errors.map(({ code }) => code),
        ['XB_BAD_MAGIC'],
      );
      assert.match(errors[0]!.message, /text/);
    });

    test('damage in many places costs what is damaged alone, also when there is no going back any more', async () => {
      const parts: Buffer[] = [];
      const sound = new Set<string>();
      const add = (path: string, content: Buffer): void => {
        sound.add(path);
        parts.push(file(path, content));
      };
      for (let count = 0; count < 40; count += 1) {
        const damaged = payload(`damaged${count}`, 0, noise(100, count));
        damaged[9] = 'Q'.charCodeAt(0); // its type
        parts.push(damaged, end(`damaged${count}`));
        add(`sound${count}`, noise(100, count));
      }
      for (let count = 0; count < 14; count += 1) add(`large${count}`, noise(1024 * 1024, count));
      const { files, errors } = await salvage(archive(...parts), seekable, 65536);
      assert.equal(errors.length, 40);
      assert.deepEqual(new Set(files.keys()), sound);
    });

    test('a gigabyte of claims: an archive that has us go back at every header ends soon', async () => {
      const header = payload('a', 0, '', { payloadBytes: 2 ** 40 });
      const bytes = archive(...Array.from({ length: 20_000 }, () => header));
      const started = process.cpuUsage();
      const { errors } = await salvage(bytes, seekable, 65536);
      assert.ok(errors.length > 0);
      assert.ok(process.cpuUsage(started).user < 20e6);
    });
  });
}

for (const seekable of [true, false]) {
  test(`what may be skipped names no file, whatever bytes stand in its name (${seekable ? 'file' : 'pipe'})`, async () => {
    const bytes = archive(payloadLike('Z', 'a\0b', 0, 'of no concern', { flags: 1, crc: 0 }), file('a', 'A'));
    const { errors, files } = await salvage(bytes, seekable);
    assert.deepEqual(errors, []);
    assert.deepEqual([...files.keys()], ['a']);
  });
}

const PLACES = SOAK ? 500 : 50;

test(`${PLACES} places changed at random in a real archive: never silent about what is lost`, async () => {
  const { bytes } = fixture('percona/sparse-w16k');
  const whole = await salvage(bytes, true);
  assert.deepEqual(whole.errors, []);
  const changes = noise(PLACES * 4, 5);
  for (let index = 0; index < PLACES; index += 1) {
    const damaged = Buffer.from(bytes);
    const place = changes.readUInt32LE(index * 4) % bytes.length;
    damaged[place]! ^= 1 << (index % 8);
    const { errors, files } = await salvage(damaged, index % 2 === 0, 65536);
    for (const [path, content] of files) {
      const right = whole.files.get(path);
      // A flag may change without any effect.
      assert.ok(right?.equals(content) === true, `byte ${place}: ${path} came out wrong`);
    }
    if (files.size < whole.files.size) assert.ok(errors.length > 0, `byte ${place}: silent`);
  }
});

test(`a backup cut between chunks and at ${PLACES} other places: always a problem, or its last file is missing`, async () => {
  for (const name of ['percona/base-none-NONE', 'percona/frames-lz4-NONE', 'mariadb/tiny-full-compress-qp']) {
    const { bytes } = fixture(name);
    for (const length of cuts(bytes)) {
      const { errors, files } = await salvage(bytes.subarray(0, length), length % 2 === 0, 65536);
      assert.ok(
        errors.length > 0 || backupFinding([...files.keys()].map(rawPath)).state !== 'finished',
        `${name} cut at ${length}`,
      );
    }
    assert.equal(backupFinding([...(await salvage(bytes, true)).files.keys()].map(rawPath)).state, 'finished');
  }
});

test(`another archive cut between chunks and at ${PLACES} other places: a problem, unless it ends between two files`, async () => {
  const { bytes } = fixture('percona/sparse-w16k');
  const boundaries = walkChunks(bytes).map(({ start }) => start);
  for (const length of cuts(bytes)) {
    const { errors } = await salvage(bytes.subarray(0, length), length % 2 === 0, 65536);
    // An end chunk may be all that is missing of a file that nothing else tells of: then what is left is an archive.
    const isWhole = walkedFilesAreEnded(bytes.subarray(0, length), boundaries);
    assert.ok(errors.length > 0 || isWhole, `cut at ${length}`);
  }
});

function cuts(bytes: Buffer): number[] {
  const places = noise(PLACES * 4, 3);
  return [
    ...sampled(walkChunks(bytes), 5).map(({ start }) => start),
    ...Array.from({ length: PLACES }, (_, index) => places.readUInt32LE(index * 4) % bytes.length),
  ];
}

/** Whether a cut archive ends between two files, so that nothing can tell that there were more. */
function walkedFilesAreEnded(bytes: Buffer, boundaries: readonly number[]): boolean {
  if (bytes.length === 0 || !boundaries.includes(bytes.length)) return false;
  const open = new Set<string>();
  for (const { type, path } of walkChunks(bytes)) {
    if (type === 'E') open.delete(path);
    else open.add(path);
  }
  return open.size === 0;
}
