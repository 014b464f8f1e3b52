/** What an archive is wrapped in and is not undone is named, with the command that undoes it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';

const bytes = archive(file('ibdata1', noise(5000)), file('xtrabackup_info', 'tool_name = xtrabackup\n'));

/** Of the verbs a sample takes others each time. */
let turn = 0;

async function assertNamed(context: Cleanup, path: string, what: RegExp, said: string, ...more: string[]) {
  const calls = [
    ['extract', path, '-C', tempDir(context)],
    ['verify', path],
    ['list', path],
    ['info', path],
    ['cat', path, 'ibdata1'],
    ['tar', path],
  ];
  turn += 1;
  for (const words of sampled(calls, 4, turn % 4)) {
    const { code, stdout, stderr } = await run([...words, ...more]);
    assert.equal(code, EXIT.damaged);
    assert.match(stdout + stderr, what);
    assert.ok((stdout + stderr).includes(said), `${words[0]}: ${stdout}${stderr}`);
  }
}

describe('an archive that was packed as a whole', { concurrency: true }, () => {
  test('and is not to be decoded: --no-decode-stream is named', async (context) => {
    const path = join(tempDir(context), 'packed');
    writeFileSync(path, gzipSync(bytes));
    const refusal = '--no-decode-stream';
    await assertNamed(context, path, /this is no xbstream archive: it is gzip data/, refusal, refusal);
  });

  test('a file of an archive that qpress packed is still called one', async (context) => {
    const path = join(tempDir(context), 't.ibd.qp');
    writeFileSync(path, qpressFile(noise(30_000)));
    const result = await run(['extract', path, '-C', tempDir(context)]);
    assertEnded(result, EXIT.damaged, /found inside of qpress data/, /this is one compressed file, not a stream/);
  });

  test('a tar inside of gzip is called one', async (context) => {
    const path = join(tempDir(context), 'x.tar.gz');
    writeFileSync(path, gzipSync(Buffer.from(`${'name\0'.padEnd(257, '\0')}ustar\0${'\0'.repeat(250)}`)));
    await assertNamed(context, path, /it is a tar archive/, 'found inside of gzip data');
  });

  for (const [program, debian, args, command] of [
    ['lz4', 'lz4', ['-lc'], 'lz4 -dc FILE | tsxbstream -x'],
    ['openssl', 'openssl', ['enc', '-aes-256-cbc', '-pbkdf2', '-pass', 'pass:x'], 'openssl enc -d'],
    ['gpg', 'gnupg', ['--batch', '--passphrase', 'x', '--pinentry-mode', 'loopback', '-c', '-o', '-'], 'gpg -d FILE'],
    [
      'gpg',
      'gnupg',
      ['--batch', '--passphrase', 'x', '--pinentry-mode', 'loopback', '-c', '-a', '-o', '-'],
      'gpg -d FILE',
    ],
  ] as const) {
    test(`by ${program} ${args.join(' ')}`, async (context) => {
      if (!hasProgram(context, program, debian)) return;
      const directory = tempDir(context);
      const env = { ...process.env, GNUPGHOME: directory };
      const packed = execFileSync(program, args, { input: bytes, stdio: ['pipe', 'pipe', 'ignore'], env });
      const path = join(directory, 'packed');
      writeFileSync(path, packed);
      await assertNamed(context, path, /this is no xbstream archive: it is /, command);
    });
  }

  test('by gpg for somebody: by the first bytes of the session key', async (context) => {
    const path = join(tempDir(context), 'packed');
    for (const head of ['84 5e 03', '85 01 0c 03', '85 02 0c 03', 'c1 c0 4c 03']) {
      writeFileSync(path, Buffer.concat([Buffer.from(head.replaceAll(' ', ''), 'hex'), noise(500)]));
      await assertNamed(context, path, /encrypted by gpg/, 'gpg -d FILE | tsxbstream -x');
    }
    assert.ok(readFileSync(path).length > 500);
  });
});
