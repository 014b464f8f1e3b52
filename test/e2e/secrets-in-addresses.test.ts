/** What is secret in an address is seen nowhere: not in messages, JSON or reports, nor in the list of processes. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file } from '../helpers/archive-bytes.js';
import { run, start } from '../helpers/cli.js';
import { sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { NO_PROXY, serve, type Interference } from '../helpers/web-server.js';

const SECRETS = /pa55w0rd|5ec3e7|someb0dy/;
const BYTES = archive(file('a/b.ibd', 'x'.repeat(5000)), file('c.ibd', 'y'));

function secretly(origin: string): string {
  return `${origin.replace('//', '//someb0dy:pa55w0rd@')}/a.xbs?X-Amz-Credential=5ec3e7&X-Amz-Signature=5ec3e7`;
}

const refuse =
  (status: number): Interference =>
  (_request, response) => {
    response.writeHead(status, { location: 'ftp://someb0dy:pa55w0rd@h/5ec3e7' });
    response.end('<Error><Code>AccessDenied</Code><SignatureProvided>5ec3e7</SignatureProvided></Error>');
    return true;
  };

/** Of what was said nothing may be secret; and where an address was meant, it is shown without. */
async function assertSilent(words: readonly string[], shown = /127\.0\.0\.1:\d+\/a\.xbs\?\.\.\./): Promise<void> {
  const { stdout, stderr, code } = await run(words, { env: NO_PROXY });
  assert.doesNotMatch(stdout + stderr, SECRETS, words.join(' '));
  assert.match(stdout + stderr, shown, words.join(' '));
  assert.notEqual(code, null);
}

describe('secrets of an address', { concurrency: true }, () => {
  test('in what a whole archive is called', async (context) => {
    const { origin } = await serve(context, BYTES);
    const address = secretly(origin);
    await assertSilent(['verify', '--digest', 'sha256', address]);
    await assertSilent(['verify', '--json', address], /"ok":true/);
    await assertSilent(['verify', '--format=junit', address], /<testsuite/);
    await assertSilent(['info', '--json', address], /"type":"info"/);
    await assertSilent(['extract', '-v', address, '-C', tempDir(context)], /a\/b\.ibd/);
  });

  test('in what a damaged one is called, and in what to type next', async (context) => {
    const { origin } = await serve(context, Buffer.from(BYTES.subarray(0, 3000)));
    const address = secretly(origin);
    await assertSilent(['extract', address, '-C', tempDir(context)]);
    await assertSilent(['verify', address]);
    await assertSilent(['verify', '--json', address], /XB_TRUNCATED/);
    await assertSilent(['list', '--json', address], /XB_TRUNCATED|cut short/);
  });

  test('in refusals', async (context) => {
    for (const status of sampled([302, 401, 403, 404, 418], 3)) {
      const { origin } = await serve(context, BYTES, { interfere: refuse(status) });
      await assertSilent(['list', secretly(origin)]);
    }
  });

  test('in words that are in the wrong place', async (context) => {
    const path = join(tempDir(context), 'a.xbs');
    fs.writeFileSync(path, BYTES);
    const address = secretly('http://127.0.0.1:9');
    await assertSilent([address]);
    await assertSilent(['list', path, address]);
    await assertSilent(['verify', path, address]);
    await assertSilent(['list', '--parts', path, address]);
    await assertSilent(['create', address]);
    await assertSilent(['create', path, '-o', address]);
    await assertSilent(['list', address]);
    await assertSilent(
      ['list', 's3://someb0dy:pa55w0rd@b/k?X-Amz-Signature=5ec3e7'],
      /s3:\/\/b\/k\?\.\.\. is no address/,
    );
    const { stderr } = await run(['-x', address], { stdin: { kind: 'pipe', bytes: BYTES }, cwd: tempDir(context) });
    assert.match(stderr, /ignores words/);
    assert.doesNotMatch(stderr, SECRETS);
    await assertSilent(['list', 'http://someb0dy:pa55w0rd@:x?5ec3e7'], /no address/);
  });

  test('where a file of this machine is expected', async (context) => {
    const cwd = tempDir(context);
    fs.writeFileSync(join(cwd, 'a.xbs'), BYTES);
    const address = secretly('http://127.0.0.1:9');
    const calls = [
      ['list', '--index', address, 'a.xbs'],
      ['verify', '--index', address, 'a.xbs'],
      ['verify', '--manifest', address, 'a.xbs'],
      ['verify', '--info', address, 'a.xbs'],
      ['verify', '--merge', address],
      ['cat', '-f', address, 'a.xbs', 'c.ibd'],
      ['decode', address],
      ['extract', 'a.xbs', '-C', address],
      ['extract', 'a.xbs', '--include', address],
      ['tar', 'a.xbs', '--tmp-dir', address],
      ['-x', '-C', address],
    ];
    for (const words of sampled(calls, 3)) {
      const { stderr, code } = await run(words, { cwd, stdin: { kind: 'pipe', bytes: BYTES } });
      assert.equal(code, 2, words.join(' '));
      assert.doesNotMatch(stderr, SECRETS);
      assert.match(stderr, /127\.0\.0\.1:9\/a\.xbs\?\.\.\./);
      assert.deepEqual(fs.readdirSync(cwd), ['a.xbs']);
    }
  });

  test('where a table, a digest, a user or a shell is expected', async () => {
    const address = secretly('http://127.0.0.1:9');
    const calls = [
      ['list', '--tables', address, 'a.xbs'],
      ['list', '--tables', address.replaceAll('.', '-').replace('a-xbs', 'a.xbs'), 'a.xbs'],
      ['-x', `--databases=shop,${address},crm`],
      ['verify', '--json', '--digest', address, 'a.xbs'],
      ['extract', '--chown', address, 'a.xbs'],
      ['tar', `--mtime=${address}`, 'a.xbs'],
      ['completion', `--tables=${address}`],
      ['list', `--${address}`],
    ];
    for (const words of calls) await assertSilent(words, /127.0.0.1:9\/a\.xbs\?\.\.\./);
  });

  test('of a kind that is not read', async () => {
    const address = 'ftp://someb0dy:pa55w0rd@h/a?5ec3e7';
    await assertSilent([address], /ftp:\/\/h\/a\?\.\.\./);
    await assertSilent(['list', address], /ftp:\/\/h\/a\?\.\.\. is no address of an archive/);
    await assertSilent(['create', '--from-tar', address], /ftp:\/\/h\/a\?\.\.\. is no address/);
  });

  for (const before of ['list ', 'create --from-tar=', 'create -T']) {
    const skip = process.platform !== 'linux' && 'needs /proc';
    test(`in the list of processes: ${before}ADDRESS`, { skip }, async (context) => {
      const { origin, asked } = await serve(context, BYTES, { interfere: () => true });
      const { child, ended } = start(`${before}${secretly(origin)}`.split(' '), { env: NO_PROXY });
      while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      const line = fs.readFileSync(`/proc/${child.pid!}/cmdline`, 'latin1');
      child.kill('SIGTERM');
      await ended;
      assert.doesNotMatch(line, SECRETS);
      assert.match(line, /a\.xbs\?\.\.\./);
    });
  }
});
