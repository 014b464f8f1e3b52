/** Each command of docs/sources.md is run, and what other pages say of addresses, against servers on loopback. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { endpointIn, settingsOf } from '../../dist/input/address/s3/s3-settings.js';
import { archive, file } from '../helpers/archive-bytes.js';
import { PROGRAM, run } from '../helpers/cli.js';
import { startNginx } from '../helpers/nginx.js';
import { objectsOf } from '../helpers/objects.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram } from '../helpers/programs.js';
import { putObject, S3_KEYS, s3Signature, startS3 } from '../helpers/s3-server.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn } from '../helpers/tree.js';
import { NO_PROXY, serve } from '../helpers/web-server.js';

Object.assign(process.env, NO_PROXY);

const textOf = (page: string): string =>
  fs.readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), 'utf8');
const PAGE = textOf('sources.md');
const BYTES = archive(
  file('ibdata1', 'i'.repeat(1000)),
  file('shop/orders.ibd', 'o'.repeat(30_000)),
  file('crm/people.ibd', 'p'.repeat(30_000)),
  file('xtrabackup_checkpoints', 'backup_type = full-backuped\n'),
  file('xtrabackup_info', 'uuid = 1\ntool_name = xtrabackup\n'),
);

/** The commands under a mark, as they are printed. */
function commandsOf(mark: string, text = PAGE): string {
  const found = new RegExp(`<!-- ${mark} -->\\n\`\`\`sh\\n([^]*?)\`\`\``).exec(text);
  assert.ok(found, mark);
  return found[1]!;
}

/** Runs commands in a folder, with the places in them replaced. */
async function runAll(context: TestContext, folder: string, commands: string): Promise<string> {
  const bin = tempDir(context);
  fs.writeFileSync(join(bin, 'tsxbstream'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`, {
    mode: 0o755,
  });
  const env = { ...process.env, ...NO_PROXY, PATH: `${bin}:${process.env['PATH']!}` };
  const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', commands], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, `${commands}\n${said}`);
  return said;
}

test('every command is marked', () => {
  const marks = Array.from(PAGE.matchAll(/<!-- (\w+) -->\n```sh/g), ([, mark]) => mark);
  assert.deepEqual(marks, ['web', 'presigned', 'pipe', 's3', 'nightly', 'operator']);
  assert.equal(PAGE.match(/```sh/g)?.length, marks.length);
});

test('at an address of the web', async (context) => {
  if (!hasProgram(context, 'nginx', 'nginx') || !hasProgram(context, 'curl', 'curl')) return;
  const store = tempDir(context);
  fs.mkdirSync(join(store, 'nightly'));
  fs.writeFileSync(join(store, 'nightly/full.xbstream'), BYTES);
  const origin = await startNginx(context, store);
  const folder = tempDir(context);
  const commands = ['web', 'presigned', 'pipe'].map((mark) => commandsOf(mark)).join('');
  const { host } = new URL(origin);
  const said = await runAll(
    context,
    folder,
    commands.replaceAll(/https:\/\/(reader:password@)?backup\.example\.com/g, `http://$1${host}`),
  );
  assert.doesNotMatch(said, /0123456789abcdef|password/);
  assert.deepEqual(namesIn(join(folder, 'one-table')).includes('crm/people.ibd'), false);
  assert.ok(namesIn(join(folder, 'one-table')).includes('shop/orders.ibd'));
  for (const all of ['restored', 'from-a-pipe']) assert.equal(namesIn(join(folder, all)).length, 5);
});

describe('in S3', { concurrency: 1 }, () => {
  test('as printed', async (context) => {
    const endpoint = await startS3(context, 'backups');
    await putObject(endpoint, 'backups', 'nightly/full.xbstream', BYTES);
    await putObject(endpoint, 'backups', 'nightly/full.xb.gz', gzipSync(BYTES));
    const folder = tempDir(context);
    const commands = ['s3', 'nightly', 'operator'].map((mark) => commandsOf(mark)).join('');
    const here = commands
      .replace(
        'AWS_ACCESS_KEY_ID=reader AWS_SECRET_ACCESS_KEY=secret',
        'AWS_ACCESS_KEY_ID=S3RVER AWS_SECRET_ACCESS_KEY=S3RVER',
      )
      .replace('https://s3.example.com', endpoint);
    await runAll(context, folder, here);
    assert.deepEqual(namesIn(join(folder, 'shop-only')).includes('crm/people.ibd'), false);
    assert.match(fs.readFileSync(join(folder, 'report.xml'), 'utf8'), /<testsuite/);
  });

  for (const [page, bucket, backup] of [
    ['objects.md', 'bucket', 'full'],
    ['many-machines.md', 'backups', 'nightly'],
  ] as const) {
    test(`as printed in ${page}`, async (context) => {
      const endpoint = await startS3(context, bucket);
      const { origin } = await serve(context, BYTES);
      await putObject(endpoint, bucket, 'full.xbstream', BYTES);
      for (const { key, bytes } of objectsOf(BYTES)) await putObject(endpoint, bucket, `${backup}/${key}`, bytes);
      const folder = tempDir(context);
      fs.writeFileSync(join(folder, 'full.xbstream'), BYTES);
      fs.writeFileSync(join(folder, 'KEYFILE'), 'k'.repeat(32));
      const settings = Object.entries({
        ...S3_KEYS,
        AWS_ENDPOINT_URL: endpoint,
        PRESIGNED: `${origin}/full?X-Amz-Signature=1`,
      });
      const before = [
        ...settings.map(([name, value]) => `export ${name}='${value}'`),
        'tsxbstream index full.xbstream -o full.idx',
      ];
      await runAll(
        context,
        folder,
        [...before, commandsOf('run by: test/docs/sources.test.ts', textOf(page))].join('\n'),
      );
    });
  }

  test('refusals tell what to do, and no secret', async (context) => {
    const endpoint = await startS3(context, 'backups');
    await putObject(endpoint, 'backups', "it's/a key & more+%.xbs", BYTES);
    const base = { ...NO_PROXY, AWS_ENDPOINT_URL: endpoint, AWS_EC2_METADATA_DISABLED: 'true', HOME: tempDir(context) };
    const list = (address: string, env: NodeJS.ProcessEnv = S3_KEYS): ReturnType<typeof run> =>
      run(['list', address], { env: { ...base, ...env } });
    const good = await list("s3://backups/it's/a key & more+%.xbs");
    assert.equal(good.code, EXIT.ok, good.stderr);
    const cases: [ReturnType<typeof run>, RegExp][] = [
      [
        list('s3://backups/nothing'),
        /there is no s3:\/\/backups\/nothing \(HTTP 404, NoSuchKey\)[^]*s3:\/\/BUCKET\/BACKUP\//,
      ],
      [list('s3://nowhere/nothing'), /NoSuchBucket\)\n.*AWS_ENDPOINT_URL/],
      [list('s3://backups/nothing', {}), /there are no credentials/],
      [list('s3://backups/'), /no address of an archive/],
    ];
    for (const [result, said] of cases) {
      const { code, stdout, stderr } = await result;
      assert.notEqual(code, EXIT.ok);
      assert.equal(stdout, '');
      assert.match(stderr, said);
      assert.doesNotMatch(stderr, /5ec3e7|Signature=|AWS4/);
    }
  });

  test('requests are signed as the rules want it; what the store says of signatures is not shown', async (context) => {
    const server = await serve(context, BYTES, {
      interfere: (_request, response, count) => {
        if (count === 2) response.writeHead(403).end('<Code>SignatureDoesNotMatch</Code><Signed>5ec3e7</Signed>');
        return count === 2;
      },
    });
    const env = {
      ...NO_PROXY,
      ...S3_KEYS,
      AWS_SESSION_TOKEN: '5ec3e7',
      AWS_ENDPOINT_URL: server.origin,
      AWS_REGION: 'r-1',
    };
    const good = await run(['list', "s3://backups/it's/a key+%.xbs"], { env });
    assert.equal(good.code, EXIT.ok, good.stderr);
    const { method, url, headers } = server.asked[0]!;
    assert.equal(url, '/backups/it%27s/a%20key%2B%25.xbs');
    const found = /Credential=S3RVER\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(headers.authorization ?? '');
    const [, scope, names, signature] = found!;
    assert.match(scope!, /^\d{8}\/r-1\/s3\/aws4_request$/);
    const signed = { method, path: url, headers, names: names!.split(';'), scope: scope! };
    assert.ok(signed.names.includes('range') && signed.names.includes('x-amz-security-token'));
    assert.equal(signature, s3Signature(signed));
    const { code, stderr } = await run(['list', 's3://backups/x'], { env });
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /403, SignatureDoesNotMatch\)\n.*secret key/);
    assert.doesNotMatch(stderr, /5ec3e7/);
  });

  test('a key with . and .. in it is asked for as it is, and no other object', async (context) => {
    const server = await serve(context, BYTES);
    const env = { ...NO_PROXY, ...S3_KEYS, AWS_ENDPOINT_URL: `${server.origin}/store/`, AWS_REGION: 'r-1' };
    const { code, stderr } = await run(['list', 's3://backups/old/../../other/./x.xbs'], { env });
    assert.equal(code, EXIT.ok, stderr);
    for (const { url } of server.asked) assert.equal(url, '/store/backups/old/../../other/./x.xbs');
  });

  test('settings come from where the AWS tools have them', () => {
    const file = {
      work: {
        region: 'eu-west-1',
        endpoint_url: 'https://a.example',
        services: 'mine',
        's3.addressing_style': 'virtual',
      },
      'services.mine': { 's3.endpoint_url': 'https://b.example' },
    };
    assert.deepEqual(settingsOf({}, file, 'work'), {
      ...{ region: 'eu-west-1', endpoint: 'https://b.example', isPathStyle: false },
    });
    assert.deepEqual(settingsOf({ AWS_ENDPOINT_URL: 'http://c', AWS_REGION: 'r' }, {}, 'default'), {
      ...{ region: 'r', endpoint: 'http://c', isPathStyle: true },
    });
    assert.deepEqual(settingsOf({}, {}, 'default'), { region: 'us-east-1', endpoint: undefined, isPathStyle: false });
    assert.throws(() => settingsOf({ AWS_ENDPOINT_URL: 'ftp://c' }, {}, 'default'), /AWS_ENDPOINT_URL is no address/);
    assert.equal(endpointIn('eu-central-1'), 'https://s3.eu-central-1.amazonaws.com');
    assert.equal(endpointIn('us-gov-west-1'), 'https://s3.us-gov-west-1.amazonaws.com');
    assert.equal(endpointIn('cn-north-1'), 'https://s3.cn-north-1.amazonaws.com.cn');
    assert.equal(endpointIn('eusc-de-east-1'), 'https://s3.eusc-de-east-1.amazonaws.eu');
  });
});
