/** What comes of damage, and what callbacks are told. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { extract, info, list, readChunks, readEntries, verify } from 'tsxbstream';
import { archive, end, file, payload } from '../helpers/archive-bytes.js';
import { fixture, fixturePath } from '../helpers/fixtures.js';
import { drain } from '../helpers/streams.js';
import { tempDir } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

test('called from a line of code on the command line, where threads must not be told so', () => {
  const code = `import { list, verify } from ${JSON.stringify(import.meta.resolve('tsxbstream'))};
    const path = ${JSON.stringify(fixturePath('percona/base-none-NONE'))};
    console.log((await verify(path)).ok, (await list(path)).entries.length);`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  assert.equal(text, 'true 9\n');
});

describe('damage', () => {
  const damaged = archive(
    file('good', 'content'),
    payload('bad', 0, 'content', { crc: 1 }),
    end('bad'),
    file('c', 'd'),
  );

  test('rejects, unless it is asked for', async (context) => {
    const target = tempDir(context);
    const told: string[] = [];
    const onProblem = ({ code }: { code: string }): void => void told.push(code);
    await assert.rejects(extract([damaged], target, { onProblem }), { code: 'XB_BAD_CRC', path: 'bad' });
    assert.deepEqual(told, ['XB_BAD_CRC']);
    const again = tempDir(context);
    const result = await extract([damaged], again, { keepGoing: true, onProblem });
    assert.equal(result.ok, false);
    assert.deepEqual(result.lost, ['bad']);
    assert.equal(result.problems[0]!.code, 'XB_BAD_CRC');
    assert.deepEqual(told, ['XB_BAD_CRC', 'XB_BAD_CRC']);
    assert.deepEqual(Object.keys(readTree(again)), ['.bad.partial', 'c', 'good']);
  });

  test('of an archive that is cut it is said where', async (context) => {
    const cut = archive(file('a', 'A'), payload('b', 0, 'B'.repeat(500))).subarray(0, -100);
    const { cutAt, lost } = await extract([cut], tempDir(context), { keepGoing: true });
    assert.deepEqual([cutAt, lost], [cut.length, ['b']]);
    const { cutAt: nowhere } = await extract([damaged], tempDir(context), { keepGoing: true });
    assert.equal(nowhere, undefined);
  });

  test('what the system refuses rejects all the same', async (context) => {
    const target = join(tempDir(context), 'file');
    fs.writeFileSync(target, 'no directory');
    await assert.rejects(extract([damaged], target, { keepGoing: true }), { code: 'XB_IO' });
    await assert.rejects(list([file('a', 'b')], { keepGoing: true, include: ['nothing'] }), { code: 'XB_NO_MATCH' });
  });

  test('is also that a file is in the way', async (context) => {
    const target = tempDir(context);
    fs.writeFileSync(join(target, 'good'), 'another');
    const { ok, problems } = await extract([damaged], target, { keepGoing: true });
    assert.deepEqual([ok, problems.map(({ code }) => code)], [false, ['XB_TARGET_EXISTS', 'XB_BAD_CRC']]);
    assert.equal(fs.readFileSync(join(target, 'good'), 'latin1'), 'another');
  });

  test('is in the result of a verification', async () => {
    const told: string[] = [];
    const result = await verify([damaged], { onProblem: ({ code }) => told.push(code) });
    assert.equal(result.ok, false);
    assert.equal(result.problemCount, 1);
    assert.deepEqual(told, ['XB_BAD_CRC']);
  });

  test('of what headers tell is in a listing', async () => {
    const cut = file('a', 'content').subarray(0, -1);
    await assert.rejects(list([cut]), { code: 'XB_TRUNCATED' });
    await assert.rejects(info([cut]), { code: 'XB_TRUNCATED' });
    const listing = await list([cut], { keepGoing: true });
    assert.equal(listing.ok, false);
    assert.deepEqual(
      listing.entries.map(({ path, complete }) => ({ path, complete })),
      [{ path: 'a', complete: false }],
    );
    const known = await info([cut], { keepGoing: true });
    assert.equal(known.ok, false);
    assert.equal(known.problems[0]!.code, 'XB_TRUNCATED');
  });

  test('of an empty archive', async () => {
    await assert.rejects(list([]), { code: 'XB_EMPTY_ARCHIVE' });
    await assert.rejects(readChunks([]).next(), { code: 'XB_EMPTY_ARCHIVE' });
    await assert.rejects(readEntries([]).next(), { code: 'XB_EMPTY_ARCHIVE' });
    assert.ok((await list([], { allowEmpty: true })).ok);
    assert.equal((await readChunks([], { allowEmpty: true }).next()).done, true);
    assert.equal((await readEntries([], { allowEmpty: true }).next()).done, true);
  });
});

describe('callbacks', () => {
  const path = fixturePath('percona/base-none-NONE');

  test('what one throws ends the work and comes back', async (context) => {
    const mine = new Error('mine');
    const fail = (): never => {
      throw mine;
    };
    const isMine = (error: unknown): boolean => error === mine;
    await assert.rejects(extract(path, tempDir(context), { onFile: fail }), isMine);
    await assert.rejects(verify(path, { onProgress: fail }), isMine);
    await assert.rejects(verify([Buffer.from('nothing')], { onProblem: fail }), isMine);
    await assert.rejects(drain(readEntries(path, { onProgress: fail })), isMine);
  });

  test('progress comes to the whole', async () => {
    const { bytes } = fixture('percona/base-none-NONE');
    const reports: object[] = [];
    await verify(path, { onProgress: (report) => reports.push(report) });
    const whole = { bytes: bytes.length, totalBytes: bytes.length };
    assert.deepEqual(reports.at(-1), { ...whole, files: 9, path: 'xtrabackup_info' });
  });
});
