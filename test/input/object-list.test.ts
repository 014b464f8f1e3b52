/** What a store lists is taken for all there is only where all of the list has come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPage } from '../../dist/input/address/s3/object-list.js';

const ENTRY = '<Contents><Key>a/b.00000000000000000000</Key><Size>5</Size></Contents>';
const page = (inside: string): string =>
  `<?xml version="1.0"?><ListBucketResult>${inside}${ENTRY.repeat(3)}</ListBucketResult>\n`;
const WHOLE = page('<IsTruncated>false</IsTruncated>');

test('a page has all its objects, and says whether it is the last', () => {
  assert.deepEqual([readPage(WHOLE, 'x').objects.length, readPage(WHOLE, 'x').next], [3, undefined]);
  const more = page('<IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken>');
  assert.equal(readPage(more, 'x').next, 'n');
});

test('a page that is cut anywhere is no list', () => {
  for (let end = 0; end < WHOLE.trimEnd().length; end += 1) {
    assert.throws(() => readPage(WHOLE.slice(0, end), 'x'), { code: 'XB_IO', message: /no list/ }, String(end));
  }
});

test('a page that does not say whether it is the last is no list', () => {
  for (const said of ['', '<IsTruncated></IsTruncated>', '<IsTruncated>maybe</IsTruncated>']) {
    assert.throws(() => readPage(page(said), 'x'), { message: /no list/ }, said);
  }
});

test('entries that never end are refused in no time', () => {
  const began = process.cpuUsage();
  assert.throws(() => readPage(page('<Contents>'.repeat(1_000_000)), 'x'), { message: /no list/ });
  assert.ok(process.cpuUsage(began).user < 10e6);
});
