/** A key that is given is used, and what stays encrypted though decoding was asked for is told. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, payload } from '../helpers/archive-bytes.js';
import { run, type RunOptions } from '../helpers/cli.js';
import { fixturePath } from '../helpers/fixtures.js';
import { linesOf } from '../helpers/json-lines.js';
import { xbcryptFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { namesIn, readTree, treeOf } from '../helpers/tree.js';

const NAME = 'percona/base-zstd-AES256';
const ARCHIVE = fixturePath(NAME);
const KEY_FILE = keyFile('AES256');
const KEY = fs.readFileSync(KEY_FILE, 'latin1');
const IN_ENVIRONMENT: RunOptions = { env: { XBCRYPT_ENCRYPTION_KEY: KEY } };

/** Whatever runs the tests may have a key of its own. */
delete process.env['XBCRYPT_ENCRYPTION_KEY'];

function keyFile(cipher: string): string {
  return fixturePath(`percona/key.${cipher}`).replace(/\.xbs$/, '');
}

/** The checksums of a fixture's files, decoded or as they are stored. */
function sumsOf(name: string, kind: 'decoded' | 'stored'): string[] {
  const path = fixturePath(name).replace(/xbs$/, kind === 'decoded' ? 'sha256' : 'raw.sha256');
  return fs.readFileSync(path, 'latin1').trimEnd().split('\n').sort();
}

/** As `sha256sum` prints them. */
function sumsIn(root: string): string[] {
  const sum = (path: string): string =>
    createHash('sha256')
      .update(fs.readFileSync(join(root, path)))
      .digest('hex');
  return namesIn(root)
    .map((path) => `${sum(path)}  ${path}`)
    .sort();
}

/** An encrypted file, an empty one that is called so, and one that is not encrypted. */
function mixed(): Buffer {
  const key = { cipher: 'AES256', bytes: Buffer.from(KEY, 'latin1') } as const;
  return archive(
    file('secret.xbcrypt', xbcryptFile(Buffer.from('SECRET'), key)),
    end('none.xbcrypt'),
    file('open', 'O'),
  );
}

async function extracted(context: Cleanup, words: readonly string[], options: RunOptions = {}) {
  const target = join(tempDir(context), 'target');
  return { target, result: await run(['extract', ...words, '-C', target], options) };
}

describe('a key that is given decrypts, without --decrypt', { concurrency: true }, () => {
  const ciphers = [
    ['AES128', 'percona/frames-zstd-AES128'],
    ['AES192', 'percona/chunk1m-lz4-AES192'],
    ['AES256', NAME],
  ] as const;
  for (const [cipher, name] of sampled(ciphers, 2)) {
    test(`extract --decompress -f KEYFILE, of ${cipher}`, async (context) => {
      const { result, target } = await extracted(context, [fixturePath(name), '--decompress', '-f', keyFile(cipher)]);
      assert.deepEqual([result.code, result.stderr], [0, '']);
      assert.deepEqual(sumsIn(target), sumsOf(name, 'decoded'));
    });
  }

  const ways = [
    ['-f', ['-f', KEY_FILE], {}],
    ['-k', ['-k', KEY], {}],
    ['the variable', [], IN_ENVIRONMENT],
  ] as const;
  for (const [what, words, options] of inTurn(ways)) {
    test(`-x --decompress with ${what}`, async (context) => {
      const target = tempDir(context);
      const stdin = { kind: 'file', path: ARCHIVE } as const;
      assertEnded(await run(['-x', '--decompress', ...words, '-C', target], { ...options, stdin }), EXIT.ok);
      assert.deepEqual(sumsIn(target), sumsOf(NAME, 'decoded'));
    });
  }

  for (const [what, words, options] of inTurn(ways)) {
    test(`tar --decompress with ${what}`, async (context) => {
      const directory = tempDir(context);
      const made = join(directory, 'made.tar');
      const { code, stderr } = await run(['tar', '--decompress', ...words, ARCHIVE, '-o', made], options);
      assert.deepEqual([code, stderr], [0, '']);
      execFileSync('tar', ['-xf', made, '-C', directory]);
      fs.rmSync(made);
      assert.deepEqual(sumsIn(directory), sumsOf(NAME, 'decoded'));
    });
  }

  for (const [what, words, options] of inTurn(ways)) {
    test(`verify --deep with ${what} looks inside`, async (context) => {
      const manifest = join(tempDir(context), 'manifest');
      const { code, stdout } = await run(['verify', '--deep', ...words, '--manifest', manifest, ARCHIVE], options);
      assert.equal(code, 0, stdout);
      assert.deepEqual(fs.readFileSync(manifest, 'latin1').trimEnd().split('\n').sort(), sumsOf(NAME, 'decoded'));
    });
  }

  for (const [what, words, options] of inTurn(ways)) {
    test(`info with ${what}`, async () => {
      const { stdout } = await run(['info', '--json', ...words, ARCHIVE], options);
      assert.match(stdout, /"toolVersion":"8\.0\.35"/);
    });
  }

  test('extract -f alone decrypts, and leaves compressed', async (context) => {
    const { result, target } = await extracted(context, [ARCHIVE, '-f', KEY_FILE]);
    assert.equal(result.code, 0);
    assert.ok(namesIn(target).every((name) => name.endsWith('.zst')));
  });

  test('the variable does nothing where no decoding was asked for', async (context) => {
    const { result, target } = await extracted(context, [ARCHIVE], IN_ENVIRONMENT);
    assert.deepEqual([result.code, result.stderr], [0, '']);
    assert.deepEqual(sumsIn(target), sumsOf(NAME, 'stored'));
  });

  test('an option beats the variable', async (context) => {
    const env = { XBCRYPT_ENCRYPTION_KEY: 'x'.repeat(32) };
    const { result } = await extracted(context, [ARCHIVE, '--decompress', '-f', KEY_FILE], { env });
    assert.equal(result.code, 0);
    const wrong = await extracted(context, [ARCHIVE, '--decompress'], { env });
    assert.equal(wrong.result.code, EXIT.undecodable);
    assert.match(wrong.result.stderr, /the key or the cipher is not the one/);
  });

  test('one in the environment that is none, and that nobody spoke of, is no matter where nothing is encrypted', async () => {
    const plain = fixturePath('percona/base-none-NONE');
    const env = { XBCRYPT_ENCRYPTION_KEY: 'short' };
    const calls = [
      ['list', plain],
      ['info', plain],
      ['report', plain],
      ['cat', plain, 'xtrabackup_info'],
    ];
    for (const words of sampled(calls, 3)) {
      const { code, stderr } = await run(words, { env });
      assert.equal(code, EXIT.ok, stderr);
    }
    assert.equal((await run(['list', '--decrypt=AES256', plain], { env })).code, EXIT.undecodable);
  });

  test('one that cannot be a key is told before anything is read', async (context) => {
    const target = tempDir(context);
    const stdin = { kind: 'file', path: ARCHIVE } as const;
    assertEnded(
      await run(['-x', '-k', 'short', '-C', target], { stdin }),
      EXIT.undecodable,
      /the key of --encrypt-key has a length that no key has/,
    );
    assertEnded(
      await run(['-x', '--decompress', '-C', target], { stdin, env: { XBCRYPT_ENCRYPTION_KEY: 'short' } }),
      EXIT.undecodable,
      /XBCRYPT_ENCRYPTION_KEY has a length.*--decrypt=NONE/s,
    );
    assertEnded(
      await run(['-x', '--decrypt=AES128', '-f', KEY_FILE, '-C', target], { stdin }),
      EXIT.undecodable,
      /wrong length for AES128/,
    );
    assert.deepEqual(namesIn(target), []);
  });

  test('-c encrypts nothing, and says so to whoever gives it a key', async (context) => {
    const cwd = tempDir(context);
    fs.writeFileSync(join(cwd, 'a'), 'A');
    const { code, stdout, stderr } = await run(['-c', '-k', KEY, 'a'], { cwd });
    assert.deepEqual([code, stdout], [0, file('a', 'A').toString('utf8')]);
    assert.match(stderr, /warning: -c stores files as they are, and encrypts nothing.*--encrypt-key$/m);
    assert.doesNotMatch(stderr, new RegExp(KEY));
    assert.equal((await run(['-c', '--encrypt-threads=2', 'a'], { cwd })).stderr, '');
  });
});

describe('what stays encrypted though decoding was asked for', { concurrency: true }, () => {
  const TOLD =
    /9 files are encrypted, and no key was given.*\n.*readme\.txt\.zst\.xbcrypt\n(?:.*\n)?.*--encrypt-key-file/;

  test('extract --decompress without a key fails after all is written, as it is stored', async (context) => {
    const manifest = join(tempDir(context), 'manifest');
    const { result, target } = await extracted(context, [ARCHIVE, '--decompress', '--manifest', manifest]);
    assertEnded(result, EXIT.undecodable, TOLD, /--allow-encrypted/);
    assert.deepEqual(sumsIn(target), sumsOf(NAME, 'stored'));
    assert.deepEqual(fs.readFileSync(manifest, 'latin1').trimEnd().split('\n').sort(), sumsOf(NAME, 'stored'));
  });

  test('the same from a pipe, with --keep-going, and of a dry run', async (context) => {
    const stdin = { kind: 'pipe', bytes: fs.readFileSync(ARCHIVE) } as const;
    const piped = await extracted(context, ['-', '--decompress', '--keep-going'], { stdin });
    assertEnded(piped.result, EXIT.undecodable, TOLD);
    assert.deepEqual(sumsIn(piped.target), sumsOf(NAME, 'stored'));
    const dry = await extracted(context, [ARCHIVE, '--decompress', '--dry-run', '-q']);
    assertEnded(dry.result, EXIT.undecodable, TOLD);
    assert.ok(!fs.existsSync(dry.target));
  });

  test('--json: an error, and a summary that is not ok', async (context) => {
    const { result } = await extracted(context, [ARCHIVE, '--decompress', '--json']);
    assert.equal(result.code, EXIT.undecodable);
    const [error] = linesOf(result.stdout, 'error');
    assert.equal(error!['code'], 'XB_KEY_REQUIRED');
    assert.deepEqual(
      linesOf(result.stdout, 'summary').map(({ ok, files }) => [ok, files]),
      [[false, 9]],
    );
  });

  test('damage comes first, and both are told', async (context) => {
    const bytes = archive(mixed(), payload('bad', 0, 'B', { crc: 1 }), end('bad'));
    const stdin = { kind: 'pipe', bytes } as const;
    const { result, target } = await extracted(context, ['-', '--decompress', '--keep-going', '--json'], { stdin });
    assert.equal(result.code, EXIT.damaged);
    const codes = linesOf(result.stdout, 'error').map(({ code }) => code);
    assert.deepEqual(codes.sort(), ['XB_BAD_CRC', 'XB_KEY_REQUIRED']);
    assert.ok(namesIn(target).includes('secret.xbcrypt'));
  });

  test('only what was selected, and has content, counts', async (context) => {
    const stdin = { kind: 'pipe', bytes: mixed() } as const;
    const all = await extracted(context, ['-', '--decompress'], { stdin });
    assertEnded(all.result, EXIT.undecodable, /secret\.xbcrypt is encrypted, and no key was given/);
    const open = await extracted(context, ['-', 'open', 'none', '--decompress'], { stdin });
    assert.deepEqual([open.result.code, open.result.stderr], [0, '']);
  });

  test('-x says so on stderr, and ends as xbstream does', async (context) => {
    const target = tempDir(context);
    const stdin = { kind: 'file', path: ARCHIVE } as const;
    const { code, stdout, stderr } = await run(['-x', '--decompress', '-C', target], { stdin });
    assert.deepEqual([code, stdout], [0, '']);
    assert.match(stderr, /^tsxbstream: warning: 9 files are encrypted, and no key was given.*--encrypt-key-file.*\n$/);
    assert.deepEqual(sumsIn(target), sumsOf(NAME, 'stored'));
  });

  test('--allow-encrypted is content with it, and uses a key where there is one', async (context) => {
    const words = [ARCHIVE, '--decompress', '--allow-encrypted'];
    const { result, target } = await extracted(context, words);
    assert.deepEqual([result.code, result.stderr], [0, '']);
    assert.deepEqual(sumsIn(target), sumsOf(NAME, 'stored'));
    const keyed = await extracted(context, [...words, '-f', KEY_FILE]);
    assert.deepEqual(sumsIn(keyed.target), sumsOf(NAME, 'decoded'));
    const quiet = tempDir(context);
    const stdin = { kind: 'file', path: ARCHIVE } as const;
    assertEnded(await run(['-x', '--decompress', '--allow-encrypted', '-C', quiet], { stdin }), EXIT.ok);
  });

  test('--decrypt=NONE switches a key of the environment off, and is no leave to stay encrypted', async (context) => {
    const { result, target } = await extracted(context, [ARCHIVE, '--decompress', '-d', 'NONE'], IN_ENVIRONMENT);
    assertEnded(result, EXIT.undecodable, TOLD);
    assert.deepEqual(sumsIn(target), sumsOf(NAME, 'stored'));
    const deep = await run(['verify', '--deep', '--decrypt=NONE', ARCHIVE], IN_ENVIRONMENT);
    assert.equal(deep.code, EXIT.undecodable);
  });

  test('a tar that would hold it is none', async (context) => {
    const directory = tempDir(context);
    const made = join(directory, 'made.tar');
    const stdin = { kind: 'pipe', bytes: fs.readFileSync(ARCHIVE) } as const;
    const ways = [
      [[ARCHIVE], {}],
      [['-'], { stdin }],
      [['-', '--stream'], { stdin }],
    ] as const;
    for (const [words, options] of sampled(ways, 2)) {
      const result = await run(['tar', '--decompress', ...words, '-o', made], options);
      assertEnded(result, EXIT.undecodable, TOLD);
      assert.deepEqual(fs.readdirSync(directory), []);
    }
    const allowed = await run(['tar', '--decompress', '--allow-encrypted', ARCHIVE, '-o', made]);
    assert.equal(allowed.code, 0);
    execFileSync('tar', ['-xf', made, '-C', directory]);
    fs.rmSync(made);
    assert.deepEqual(sumsIn(directory), sumsOf(NAME, 'stored'));
  });

  test('verify --deep: a problem with what to do, unless it is allowed', async () => {
    const without = await run(['verify', '--deep', ARCHIVE]);
    assert.equal(without.code, EXIT.undecodable);
    assert.match(without.stdout, /XB_KEY_REQUIRED: 9 files are encrypted.*--encrypt-key-file.*NOT proven whole/s);
    const allowed = await run(['verify', '--deep', '--allow-encrypted', ARCHIVE]);
    assert.deepEqual([allowed.code, allowed.stderr], [0, '']);
    assert.equal((await run(['verify', '--allow-encrypted', ARCHIVE])).code, EXIT.usage);
  });

  test('as stored, and without a word, where nothing is to be decoded', async (context) => {
    const { result, target } = await extracted(context, ['-'], { stdin: { kind: 'pipe', bytes: mixed() } });
    assert.deepEqual([result.code, result.stderr], [0, '']);
    assert.equal(readTree(target)['open'], treeOf({ open: 'O' })['open']);
  });
});
