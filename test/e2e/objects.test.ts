/** A directory of xbcloud's objects, one for each chunk, is an archive. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { cat, extract, info, list, verify, type XbstreamError } from 'tsxbstream';
import { keysOfSums, layOut } from '../../dist/input/parts/object-layout.js';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { objectsOf, writeObjects, type TestObject } from '../helpers/objects.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { pathIn, readTree, treeOf } from '../helpers/tree.js';

const FILES = {
  ibdata1: noise(300_000),
  'db/t.ibd': noise(150_000, 2),
  'db/small.frm': 'x',
  'db/empty': '',
  xtrabackup_info: 'tool_name = xtrabackup\n',
};
const OBJECTS = objectsOf(
  archive(
    ...Object.entries(FILES).map(([path, content]) => file(path, content, path === 'ibdata1' ? 100_000 : 60_000)),
  ),
);

function backup(context: TestContext, objects: readonly TestObject[] = OBJECTS, withSums = false): string {
  const directory = join(tempDir(context), 'full');
  writeObjects(directory, objects, withSums);
  return directory;
}

/** The only object of an empty file. */
const EMPTY = 'db/empty.00000000000000000000';

/** Corrections are what MariaDB's programs send, which know nothing of xbcloud. */
const PERCONA = FIXTURE_NAMES.filter((name) => name !== 'mariadb/tiny-ddl');

test('a part of a backup behind a symbolic link is never left out in silence', async (context) => {
  const elsewhere = tempDir(context);
  const cases = [
    { moved: 'db', name: 'a directory' },
    { moved: 'db/t.ibd.00000000000000000001', name: 'an object' },
    { moved: `xtrabackup_info.${'0'.repeat(20)}`, name: 'an object of a file that would be missed by nobody' },
  ];
  for (const [number, { moved, name }] of cases.entries()) {
    const directory = backup(context);
    fs.symlinkSync('nowhere', join(directory, 'unrelated'));
    fs.symlinkSync(elsewhere, `${directory}.link`);
    assert.equal((await run(['verify', '--backup=never', directory])).code, EXIT.ok);
    fs.renameSync(join(directory, moved), join(elsewhere, String(number)));
    fs.symlinkSync(join(elsewhere, String(number)), join(directory, moved));
    const result = await run(['list', directory]);
    assertEnded(result, EXIT.refused, new RegExp(`full/${moved} is no file, and objects that it stands for`));
    assert.equal((await run(['verify', '--backup=never', directory])).code, EXIT.refused, name);
    const target = tempDir(context);
    assert.equal((await run(['extract', '--backup=never', directory, '-C', target])).code, EXIT.refused, name);
    assert.deepEqual(readTree(target), {}, name);
  }
});

test('every fixture, an object a chunk, is what it is as one file', async (context) => {
  for (const [number, name] of sampled([...PERCONA.entries()], 20, 3)) {
    const { bytes } = fixture(name);
    const whole = join(tempDir(context), 'whole');
    fs.writeFileSync(whole, bytes);
    const objects = backup(context, objectsOf(bytes), number % 2 === 0);
    const [found, expected] = await Promise.all(
      [objects, whole].map(async (input) => {
        const target = tempDir(context);
        const { files, bytes: size } = await extract(input, target, { backup: 'never' });
        const { ok, entries, problems } = await verify(input, { backup: 'never' });
        const listing = await list(input, { sort: 'name' });
        const { state, toolVersion, missing } = await info(input);
        const paths = listing.entries.map(({ archiveOffset: _, ...entry }) => entry);
        const code = (await run(['verify', input])).code;
        return { files, size, ok, entries, problems, paths, tree: readTree(target), state, toolVersion, missing, code };
      }),
    );
    assert.deepEqual(found, expected, name);
  }
});

test('one table, one file, all verbs', async (context) => {
  const directory = backup(context);
  const target = tempDir(context);
  assert.equal((await run(['extract', '-q', directory, 'db/t.ibd', '-C', target])).code, EXIT.ok);
  assert.deepEqual(readTree(target), treeOf({ 'db/t.ibd': FILES['db/t.ibd'] }));
  assert.equal((await run(['extract', '-q', `${directory}/`, '--tables=db.t', '-C', tempDir(context)])).code, EXIT.ok);
  const parts = (await cat(directory, 'ibdata1').toArray()) as Buffer[];
  assert.ok(Buffer.concat(parts).equals(FILES.ibdata1));
  assert.equal((await run(['tar', directory, '-o', join(target, 'x.tar')])).code, EXIT.ok);
  assert.match((await run(['list', directory])).stdout, /^5 files,/m);
});

test('by several pipelines, of more objects than a process may have open', async (context) => {
  const files = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`db/t${index}.ibd`, noise(6_000_000, index + 1)] as const),
  );
  const bytes = archive(...Object.entries(files).map(([path, content]) => file(path, content, 150_000)));
  const directory = backup(context, objectsOf(bytes));
  const target = tempDir(context);
  const wrapper = ['sh', '-c', 'ulimit -n 128; exec "$@"', 'sh'];
  const { code, stdout, stderr } = await run(['extract', '--parallel=3', '--backup=never', directory, '-C', target], {
    wrapper,
  });
  assert.deepEqual([code, stderr], [EXIT.ok, '']);
  assert.match(stdout, /unpacked 12 files/);
  assert.deepEqual(readTree(target), treeOf(files));
});

describe('an object that is missing is named', { concurrency: 2 }, () => {
  const others = OBJECTS.filter((object) => object.key !== EMPTY);
  for (const { key } of sampled(others, 5, 1)) {
    test(key, async (context) => {
      const path = key.slice(0, -21);
      const said = `the object ${key} is missing, or empty`;
      const without = backup(
        context,
        OBJECTS.filter((object) => object.key !== key),
      );
      const emptied = backup(
        context,
        OBJECTS.map((object) => (object.key === key ? { key, bytes: Buffer.alloc(0) } : object)),
      );
      for (const directory of SOAK || path === 'db/t.ibd' ? [without, emptied] : [without]) {
        const { ok, problems } = await verify(directory);
        const told = problems.flatMap(({ message, details }) => [message, ...details]);
        assert.deepEqual([ok, told.includes(said)], [false, true], told.join('\n'));
      }
      assert.equal((await list(without, { keepGoing: true })).ok, false);
      const target = tempDir(context);
      const { lost, ok } = await extract(without, target, { keepGoing: true });
      assert.equal(ok, false);
      // Of a file whose first object is missing nothing is known but that.
      assert.deepEqual(lost, key.endsWith('0'.repeat(20)) ? [] : [path]);
      const whole = Object.entries(treeOf(FILES)).filter(([name]) => name !== path);
      const saved = Object.entries(readTree(target)).filter(([name]) => !name.endsWith('.partial'));
      assert.deepEqual(saved, whole);
    });
  }

  const keys = [
    'ibdata1.00000000000000000000',
    'db/t.ibd.00000000000000000001',
    'xtrabackup_info.00000000000000000001',
  ];
  for (const [index, key] of keys.entries()) {
    test(`${key}: by every verb`, async (context) => {
      const directory = backup(
        context,
        OBJECTS.filter((object) => object.key !== key),
      );
      const calls = [
        ['verify', directory],
        ['list', directory],
        ['info', directory],
        ['tar', directory],
        ['cat', directory, key.slice(0, -21)],
        ['extract', directory, '-C', tempDir(context)],
      ];
      for (const words of sampled(calls, 3, index)) {
        const { code, stdout, stderr } = await run(words);
        const isUnknown = words[0] === 'cat' && key.endsWith('0'.repeat(20));
        assert.equal(code, isUnknown ? EXIT.refused : EXIT.incomplete, `${words.join(' ')}: ${stderr}`);
        const said = (stdout + stderr).includes(`the object ${key} is missing, or empty`);
        assert.ok(said || isUnknown, stdout + stderr);
      }
    });
  }

  test('the only one of an empty file, by BACKUP.md5', async (context) => {
    const directory = backup(context, OBJECTS, true);
    assert.equal((await verify(directory)).ok, true);
    fs.rmSync(join(directory, EMPTY));
    const { problems } = await verify(directory);
    assert.deepEqual(
      problems.map(({ code, message }) => [code, message]),
      [['XB_GAP', `the object ${EMPTY} is missing, or empty`]],
    );
  });

  test('by BACKUP.md5, whatever the directory was called: by a link, or from within', async (context) => {
    const directory = backup(context, OBJECTS, true);
    fs.rmSync(join(directory, EMPTY));
    const link = join(tempDir(context), 'latest');
    fs.symlinkSync(directory, link);
    for (const name of [`${directory}/`, `${directory}/.`, `${directory}/db/..`, link]) {
      const { problems } = await verify(name);
      assert.equal(problems[0]?.message, `the object ${EMPTY} is missing, or empty`, name);
    }
    const { code, stdout } = await run(['verify', '.'], { cwd: directory });
    assert.equal(code, EXIT.incomplete, stdout);
  });

  test('all of a file, by BACKUP.md5; and very many', async (context) => {
    const directory = backup(context, OBJECTS, true);
    for (const { key } of OBJECTS) if (!key.startsWith('ibdata1')) fs.rmSync(join(directory, key));
    const { problems } = await verify(directory);
    const told = problems.flatMap(({ message, details }) => [message, ...details]).join('\n');
    for (const path of ['db/t.ibd', 'db/small.frm', 'db/empty', 'xtrabackup_info'])
      assert.ok(told.includes(path), told);
  });
});

test('a bit that is flipped anywhere in an object is found, or changes nothing', async (context) => {
  const small = { 'a/b': 'content', 'a/c': '', d: 'more content' };
  const objects = objectsOf(archive(...Object.entries(small).map(([path, content]) => file(path, content, 5))));
  const expected = treeOf(small);
  let found = 0;
  for (const [index, { key, bytes }] of objects.entries()) {
    for (let bit = 0; bit < bytes.length * 8; bit += SOAK ? 1 : 499) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const directory = backup(context, objects.with(index, { key, bytes: damaged }));
      const target = tempDir(context);
      const failure = await extract(directory, target, { backup: 'never' }).then(
        () => undefined,
        (error: unknown) => error as XbstreamError,
      );
      if (failure === undefined) assert.deepEqual(readTree(target), expected, `${key} bit ${bit}`);
      else found += 1;
      assert.equal((await verify(directory, { backup: 'never' })).ok, failure === undefined, `${key} bit ${bit}`);
    }
  }
  assert.ok(found > (SOAK ? 8 : 2), `${found}`);
});

describe('objects that are not what their names say', { concurrency: 2 }, () => {
  test('the end of an empty file that became its removal: named, and the file is not left out in silence', async (context) => {
    const end = OBJECTS.find(({ key }) => key === EMPTY)!;
    const bytes = Buffer.from(end.bytes);
    bytes[9]! ^= 1;
    const directory = backup(context, [...OBJECTS.filter((object) => object !== end), { key: EMPTY, bytes }]);
    const { code, stdout } = await run(['verify', directory]);
    assert.equal(code, EXIT.damaged, stdout);
    assert.ok(stdout.includes(`the object ${EMPTY} holds a correction, which xbcloud never stores`), stdout);
  });

  test('an end that was copied behind the end of its file, or over its content: named, and no file is emptied in silence', async (context) => {
    const of = (path: string, number: number): string => `${path}.${String(number).padStart(20, '0')}`;
    const file = 'ibdata1';
    const own = OBJECTS.filter(({ key }) => key.startsWith(`${file}.`));
    const end = own.at(-1)!.bytes;
    const others = OBJECTS.filter((object) => !own.includes(object));
    const behind = [...own, { key: of(file, own.length), bytes: end }];
    const over = own.map((object, number) => (number === own.length - 2 ? { ...object, bytes: end } : object));
    for (const [objects, first] of [
      [behind, own.length - 1],
      [over, own.length - 2],
    ] as const) {
      const directory = backup(context, [...others, ...objects]);
      const { code, stdout } = await run(['verify', directory]);
      assert.equal(code, EXIT.damaged, stdout);
      assert.ok(stdout.includes(`the object ${of(file, first)} holds the end of its file, and others follow`), stdout);
      assert.ok(stdout.includes(`${of(file, first + 1)} holds the end of its file, which came before`), stdout);
      const target = tempDir(context);
      assert.equal((await run(['extract', '-q', '--keep-going', directory, '-C', target])).code, EXIT.damaged);
      const names = Object.keys(readTree(target)).filter((name) => !name.endsWith('.partial'));
      assert.deepEqual(names, ['db/empty', 'db/small.frm', 'db/t.ibd', 'xtrabackup_info']);
    }
    const twice = own.map((object) =>
      object.bytes === end ? { ...object, bytes: Buffer.concat([end, end]) } : object,
    );
    const { code, stdout } = await run(['verify', backup(context, [...others, ...twice])]);
    assert.equal(code, EXIT.damaged, stdout);
    assert.ok(stdout.includes(`${of(file, own.length - 1)} holds the end of its file, and more`), stdout);
  });

  test('a chunk of another file: named, and neither of the two is whole', async (context) => {
    const [one, two] = ['ibdata1.00000000000000000001', 'db/t.ibd.00000000000000000001'];
    const bytesOf = (key: string): Buffer => OBJECTS.find((object) => object.key === key)!.bytes;
    const swapped = OBJECTS.map(({ key, bytes }) => ({
      key,
      bytes: key === one ? bytesOf(two) : key === two ? bytesOf(one) : bytes,
    }));
    const directory = backup(context, swapped);
    const { code, stdout } = await run(['verify', directory]);
    assert.equal(code, EXIT.damaged);
    assert.ok(stdout.includes(`the object ${one} holds a chunk of db/t.ibd`), stdout);
    assert.ok(stdout.includes(`the object ${two} holds a chunk of ibdata1`), stdout);
    const target = tempDir(context);
    assert.equal((await run(['extract', '-q', '--keep-going', directory, '-C', target])).code, EXIT.damaged);
    const names = Object.keys(readTree(target)).filter((name) => !name.endsWith('.partial'));
    assert.deepEqual(names, ['db/empty', 'db/small.frm', 'xtrabackup_info']);
  });

  test('numbers that nobody has counted to', async (context) => {
    const far = OBJECTS.map((object) =>
      object.key === 'db/t.ibd.00000000000000000002' ? { ...object, key: `db/t.ibd.${'9'.repeat(20)}` } : object,
    );
    const { problems } = await verify(backup(context, far));
    assert.match(problems[0]!.message, /the object db\/t\.ibd\.00000000000000000002 is missing/);
  });

  test('other files lie beside them', async (context) => {
    const directory = backup(context);
    fs.writeFileSync(join(directory, 'done'), 'x');
    fs.writeFileSync(join(directory, 'db/t.ibd'), 'x');
    fs.writeFileSync(join(directory, 'db/t.ibd.7'), 'x');
    fs.mkdirSync(join(directory, 'd.00000000000000000000'));
    assert.equal((await verify(directory)).ok, true);
  });

  test('a directory without any, and the one above', async (context) => {
    const directory = backup(context);
    const above = join(directory, '..');
    assertEnded(await run(['list', tempDir(context)]), EXIT.refused, /it is a directory/, /xbcloud/);
    assertEnded(await run(['list', above]), EXIT.refused, /is no backup of xbcloud's, but .*full may be one/);
  });

  test('names of bytes that are no text', async (context) => {
    const files = { 'd\xff/t\xfe': 'content' };
    const directory = backup(context, objectsOf(archive(file('d\xff/t\xfe', 'content'))));
    const target = tempDir(context);
    assertEnded(await run(['extract', '-q', '--backup=never', directory, '-C', target]), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf(files));
    fs.rmSync(pathIn(directory, 'd\xff/t\xfe.00000000000000000001'));
    assert.equal((await run(['verify', directory])).code, EXIT.incomplete);
  });
});

test('the order of objects, and the first that is missing of each file', () => {
  const object = (key: string, bytes = 1) => ({ key: rawPath(key), bytes });
  const n = (number: number): string => String(number).padStart(20, '0');
  const found = [object(`b.${n(1)}`), object(`b.${n(0)}`), object('b'), object(`a.${n(0)}`), object(`a.${n(10)}`)];
  const { objects, missing, nextOf } = layOut(
    [...found, object(`c.${n(0)}`, 0)],
    [`d/e.${n(2)}`, `b.${n(2)}`, 'f'].map(rawPath),
  );
  assert.deepEqual(
    objects.map(({ key }) => key),
    [`a.${n(0)}`, `b.${n(0)}`, `b.${n(1)}`],
  );
  assert.deepEqual(
    [...missing],
    [
      ['a', `a.${n(1)}`],
      ['b', `b.${n(2)}`],
      ['c', `c.${n(0)}`],
      ['d/e', `d/e.${n(0)}`],
    ],
  );
  assert.deepEqual([nextOf(rawPath('b')), nextOf(rawPath('x'))], [`b.${n(2)}`, undefined]);
  assert.deepEqual(keysOfSums(`${'0'.repeat(32)}  a.${n(0)}\r\nnot a line\n${'f'.repeat(32)} *b\n`), [
    `a.${n(0)}`,
    'b',
  ]);
});
