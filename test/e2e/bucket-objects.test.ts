/** xbcloud's objects in a bucket are an archive, as a directory of them is. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { objectsOf, writeObjects, type TestObject } from '../helpers/objects.js';
import { EXIT } from '../helpers/outcome.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { putObject, S3_KEYS, startS3 } from '../helpers/s3-server.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf } from '../helpers/tree.js';
import { NO_PROXY, rangeOf, serve, type Interference, type WebServer } from '../helpers/web-server.js';

Object.assign(process.env, NO_PROXY);

const FILES = {
  ibdata1: noise(300_000),
  'db/t.ibd': noise(150_000, 2),
  'db/name with & + %.frm': 'x',
  'db/empty': '',
  xtrabackup_info: 'tool_name = xtrabackup\n',
};
const OBJECTS = objectsOf(
  archive(
    ...Object.entries(FILES).map(([path, content]) => file(path, content, path === 'ibdata1' ? 100_000 : 60_000)),
  ),
);
const ARCHIVE = 's3://backups/nightly/full/';
const SECRET = '5ec3e7';

function call(endpoint: string, words: readonly string[]): Promise<RunResult> {
  const env = { ...NO_PROXY, ...S3_KEYS, AWS_SESSION_TOKEN: SECRET, AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'r-1' };
  return run(words, { env });
}

/** A bucket with a backup in it, which tells of three objects a page. */
function bucket(
  context: TestContext,
  objects: readonly TestObject[],
  interfere: Interference = () => false,
): Promise<WebServer> {
  const all = new Map(objects.map(({ key, bytes }) => [`nightly/full/${key}`, bytes]));
  const sums = objects.map(({ key, bytes }) => `${createHash('md5').update(bytes).digest('hex')}  ${key}\n`).join('');
  return bucketOf(context, all.set('nightly/full.md5', Buffer.from(sums)), interfere);
}

function bucketOf(context: TestContext, all: Map<string, Buffer>, interfere: Interference): Promise<WebServer> {
  return serve(context, Buffer.alloc(0), {
    interfere: (request, response, count) => {
      if (interfere(request, response, count)) return true;
      const url = new URL(request.url!, 'http://host');
      if (url.searchParams.get('list-type') === '2') {
        const prefix = url.searchParams.get('prefix')!;
        const from = Number(url.searchParams.get('continuation-token') ?? '0 &').toString();
        const start = from === 'NaN' ? 0 : Number(from);
        const keys = [...all.keys()].filter((key) => key.startsWith(prefix)).sort();
        const next = start + 3 < keys.length ? `<NextContinuationToken>${start + 3}</NextContinuationToken>` : '';
        const entries = keys.slice(start, start + 3).map((key) => {
          const size = all.get(key)!.length;
          return `<Contents><Key>${encodeURIComponent(key)}</Key><ETag>&quot;1&quot;</ETag><Size>${size}</Size></Contents>`;
        });
        const truncated = `<IsTruncated>${next !== ''}</IsTruncated>${next}`;
        response.end(
          `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType>${truncated}${entries.join('')}</ListBucketResult>`,
        );
        return true;
      }
      const bytes = all.get(decodeURIComponent(url.pathname.slice('/backups/'.length)));
      if (bytes === undefined) response.writeHead(404).end('<Code>NoSuchKey</Code>');
      else {
        const [start, end] = rangeOf(request, bytes.length) ?? [0, bytes.length];
        const head = { etag: '"1"', 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` };
        if (request.headers.range === undefined) response.writeHead(200).end(bytes);
        else response.writeHead(206, head).end(bytes.subarray(start, end));
      }
      return true;
    },
  });
}

/** The same backup as a directory. */
function directory(context: TestContext, objects: readonly TestObject[]): string {
  const path = join(tempDir(context), 'full');
  writeObjects(path, objects, true);
  return path;
}

/** What a call says, whatever the archive is called. */
function said({ code, stdout, stderr }: RunResult, name: string): unknown[] {
  const neutral = (text: string): string =>
    text
      .replaceAll(name, 'ARCHIVE')
      .replaceAll(name.replace(/\/$/, ''), 'ARCHIVE')
      .replaceAll('ARCHIVE/', 'ARCHIVE')
      .replace(/"elapsed\w*":[\d.]+|in [\d.]+ m?s.*$/gm, '');
  return [code, neutral(stdout), neutral(stderr)];
}

test('in a store that speaks S3: list, verify, info, cat, extract, one table', async (context) => {
  const endpoint = await startS3(context, 'backups');
  for (const { key, bytes } of OBJECTS) await putObject(endpoint, 'backups', `nightly/full/${key}`, bytes);
  const local = directory(context, OBJECTS);
  const calls = [
    ['list', 'ARCHIVE'],
    ['verify', '--backup=always', 'ARCHIVE'],
    ['cat', 'ARCHIVE', 'ibdata1'],
  ];
  for (const words of sampled(calls, 2)) {
    const results = [];
    for (const name of [ARCHIVE, local]) {
      const result = await call(
        endpoint,
        words.map((word) => (word === 'ARCHIVE' ? name : word)),
      );
      results.push(said(result, name));
    }
    assert.deepEqual(results[0], results[1], words.join(' '));
    assert.equal((results[0] as unknown[])[0], EXIT.ok, String(results[0]));
  }
  const [all, one] = [tempDir(context), tempDir(context)];
  const extracted = await call(endpoint, ['extract', '-q', ARCHIVE, '-C', all]);
  assert.deepEqual([extracted.code, extracted.stderr], [EXIT.ok, '']);
  assert.deepEqual(readTree(all), treeOf(FILES));
  const table = await call(endpoint, ['extract', '-q', ARCHIVE, '--tables=db.t', '-C', one]);
  assert.equal(table.code, EXIT.ok, table.stderr);
  assert.ok('db/t.ibd' in readTree(one) && !('db/empty' in readTree(one)));
});

describe('a bucket that tells of its objects page by page', { concurrency: 2 }, () => {
  test('is verified in shards, each of which fetches its part', async (context) => {
    const { origin } = await bucket(context, OBJECTS);
    const results = await Promise.all(
      [1, 2].map(async (shard) => {
        const { code, stdout, stderr } = await call(origin, ['verify', '--shard', `${shard}/2`, ARCHIVE]);
        assert.equal(code, EXIT.ok, stderr);
        assert.doesNotMatch(stdout, new RegExp(SECRET));
        const path = join(tempDir(context), 'result');
        fs.writeFileSync(path, stdout);
        return path;
      }),
    );
    const local = directory(context, OBJECTS);
    const merged = await call(origin, ['verify', '--merge', '--archive', ARCHIVE, ...results]);
    assert.deepEqual(said(merged, ARCHIVE), said(await call(origin, ['verify', local]), local));
    assert.equal(merged.code, EXIT.ok);
  });

  test('is read as a whole, and no secret is shown', async (context) => {
    const { origin, asked } = await bucket(context, OBJECTS);
    const target = tempDir(context);
    const { code, stderr } = await call(origin, ['extract', '-q', ARCHIVE, '-C', target]);
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.deepEqual(readTree(target), treeOf(FILES));
    assert.ok(asked.filter(({ url }) => url.includes('continuation-token')).length >= 2);
    assert.ok(asked.every(({ headers }) => /^AWS4-HMAC-SHA256 /.test(headers.authorization ?? '')));
  });

  const keys = OBJECTS.map(({ key }) => key).filter((key) => !key.includes('&'));
  const some = ['ibdata1.00000000000000000001', 'xtrabackup_info.00000000000000000001'];
  for (const key of SOAK ? keys : some) {
    test(`${key} is missing: named by verify`, async (context) => {
      const rest = OBJECTS.filter((object) => object.key !== key);
      const { origin } = await bucket(context, rest);
      const local = directory(context, rest);
      const far = await call(origin, ['verify', ARCHIVE]);
      assert.deepEqual(said(far, ARCHIVE), said(await run(['verify', local]), local));
      // Of a file that has no object nobody knows, where BACKUP.md5 does not name it.
      const isUnknown = key.startsWith('db/empty');
      assert.equal(far.code, isUnknown ? EXIT.ok : EXIT.incomplete);
      if (!isUnknown) assert.ok((far.stdout + far.stderr).includes(`the object ${key} is missing, or empty`));
    });
  }

  test('BACKUP.md5 names one that is missing', async (context) => {
    const all = new Map(OBJECTS.map(({ key, bytes }) => [`nightly/full/${key}`, bytes]));
    const lost = OBJECTS.find(({ key }) => key.startsWith('db/empty'))!.key;
    all.delete(`nightly/full/${lost}`);
    all.set('nightly/full.md5', Buffer.from(OBJECTS.map(({ key }) => `${'0'.repeat(32)}  ${key}\n`).join('')));
    const { origin } = await bucketOf(context, all, () => false);
    const { code, stdout } = await call(origin, ['verify', ARCHIVE]);
    assert.equal(code, EXIT.incomplete);
    assert.ok(stdout.includes(`the object ${lost} is missing, or empty`), stdout);
  });

  test('refuses: what to do is told, and no secret', async (context) => {
    const deny = (status: number, body: string): Interference => {
      return (_request, response) => {
        response.writeHead(status).end(body);
        return true;
      };
    };
    const endless: Interference = (request, response) => {
      if (!request.url!.includes('list-type')) return false;
      response.end(
        '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken></ListBucketResult>',
      );
      return true;
    };
    const changed: Interference = (request, response) => {
      if (!request.url!.includes('t.ibd.')) return false;
      response.writeHead(412).end();
      return true;
    };
    const cases: [Interference, RegExp][] = [
      [deny(403, `<Code>AccessDenied</Code><Signed>${SECRET}</Signed>`), /AccessDenied\)\n.*s3:ListBucket/],
      [deny(404, '<Code>NoSuchBucket</Code>'), /NoSuchBucket/],
      [deny(200, '<html>welcome</html>'), /no list of the objects/],
      [deny(200, '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'), /there are no objects/],
      [deny(200, '<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>'), /no list of the objects/],
      [endless, /no list of the objects/],
      [changed, /t\.ibd\.0{20} has changed while it was being read/],
    ];
    for (const [interfere, message] of sampled(cases, 3)) {
      const { origin } = await bucket(context, OBJECTS, interfere);
      const { code, stdout, stderr } = await call(origin, ['verify', ARCHIVE]);
      assert.equal(code, EXIT.refused, stdout + stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stdout + stderr, /5ec3e7|Signature=|AWS4/);
    }
  });

  test('has no backup at the prefix above', async (context) => {
    const { origin } = await bucket(context, OBJECTS);
    const { code, stderr } = await call(origin, ['list', 's3://backups/nightly/']);
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /is no backup of xbcloud's, but s3:\/\/backups\/nightly\/full may be one/);
  });
});

test('a listing asks for each object once, several at a time', async (context) => {
  const files = Array.from({ length: 40 }, (_, index) => file(`db/t${index}.ibd`, noise(200_000, index + 1), 200_000));
  const { origin, asked } = await bucket(context, objectsOf(archive(...files)));
  const { code, stderr } = await call(origin, ['list', ARCHIVE]);
  assert.equal(code, EXIT.ok, stderr);
  const reads = asked.filter(({ headers }) => headers.range !== undefined);
  assert.ok(reads.length <= 4 * 80, `${reads.length} requests`);
});
