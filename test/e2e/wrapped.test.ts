/** An archive that is compressed or encrypted as a whole is undone on the way, by every verb and by the library. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { extract, info, list, readChunks, readEntries, verify } from 'tsxbstream';
import { archive, file, noise, rename } from '../helpers/archive-bytes.js';
import { run, start } from '../helpers/cli.js';
import { encode } from '../helpers/encoded-tree.js';
import { linesOf } from '../helpers/json-lines.js';
import { xbcryptFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled, SOAK } from '../helpers/programs.js';
import { openPipe } from '../helpers/pipes.js';
import { reportPath } from '../helpers/report-input.js';
import { tempDir } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';
import { canWrap, WRAPPING_KEY, WRAPPINGS } from '../helpers/wrapping.js';

const bytes = archive(
  file('ibdata1', noise(150_000), 40_000),
  file('db/old.ibd', Buffer.alloc(60_000, 'some rows, ')),
  rename('db/old.ibd', 'db/t.ibd'),
  file('xtrabackup_info', 'tool_name = xtrabackup\n'),
);

const key = WRAPPING_KEY;

/** What is known of an archive: its files as they are unpacked, its listing, what is wrong with it. */
async function outcomeOf(input: () => Parameters<typeof list>[0], directory: string) {
  const listing = await list(input(), { key, keepGoing: true });
  const verdict = await verify(input(), { key, backup: 'never' });
  const target = fs.mkdtempSync(join(directory, 'out-'));
  const unpacked = await extract(input(), target, { key, keepGoing: true, backup: 'never' });
  return {
    tree: readTree(target),
    entries: listing.entries,
    verdict: [verdict.ok, ...new Set(verdict.problems.map(({ code }) => code))],
    unpacked: [unpacked.ok, unpacked.files, unpacked.bytes],
  };
}

/** The archives among the fixtures, as they are. */
function fixtures(): [name: string, bytes: Buffer][] {
  const root = new URL('../fixtures/', import.meta.url);
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return names
    .filter((name) => /\.(xbs|xbs\.gz|xbstream)$/.test(name))
    .map((name) => {
      const stored = fs.readFileSync(new URL(name, root));
      return [name, name.endsWith('.gz') ? gunzipSync(stored) : stored];
    });
}

describe('every fixture, wrapped, is what it is as a plain stream', { concurrency: 2 }, () => {
  const samples = fixtures();
  for (const [number, wrapping] of sampled([...WRAPPINGS.entries()], 6, 3)) {
    test(wrapping.title, async (context) => {
      if (!canWrap(context, wrapping)) return;
      const directory = tempDir(context);
      const chosen = SOAK ? samples : [samples[(5 * number) % samples.length]!];
      for (const [name, plain] of chosen) {
        const wrapped = wrapping.wrap(plain);
        const path = join(directory, 'wrapped');
        fs.writeFileSync(path, wrapped);
        const expected = await outcomeOf(() => [plain], directory);
        // What is inside of the innermost is no archive, or nothing at all: then that is what it is called.
        const found = await outcomeOf(() => (plain.length % 2 === 0 ? path : fs.createReadStream(path)), directory);
        assert.deepEqual(found, expected, name);
      }
    });
  }
});

describe('an archive that is wrapped as a whole', { concurrency: 2 }, () => {
  for (const [turn, wrapping] of sampled([...WRAPPINGS.entries()], 5)) {
    test(`${wrapping.title}: cut or damaged, it is never taken for whole`, async (context) => {
      if (!canWrap(context, wrapping)) return;
      const wrapped = wrapping.wrap(bytes);
      const whole = await verify([wrapped], { key, backup: 'never', digests: ['sha256'] });
      assert.equal(whole.ok, true);
      assert.equal(whole.digests['sha256'], createHash('sha256').update(wrapped).digest('hex'));
      const shares = SOAK ? Array.from({ length: 50 }, (_, index) => (index + 1) / 51) : [0.001, 0.6];
      for (const share of sampled(shares, 2, turn % 2)) {
        const at = Math.ceil(wrapped.length * share);
        const cut = await verify([wrapped.subarray(0, at)], { key, backup: 'never' });
        assert.equal(cut.ok, false, `cut at ${at}`);
        const flipped = Buffer.from(wrapped);
        flipped[at]! ^= 0x10;
        const { ok } = await verify([flipped], { key, backup: 'never' });
        assert.equal(ok, false, `flipped at ${at}`);
      }
      // The format of xz has padding of zeros.
      const garbage = [Buffer.from('garbage'), ...(wrapping.title === 'xz' ? [] : [Buffer.alloc(40)])];
      for (const more of sampled(garbage, 2, turn % 2)) {
        const { ok } = await verify([Buffer.concat([wrapped, more])], { key, backup: 'never' });
        assert.equal(ok, false, 'more behind its end');
      }
    });
  }

  test('-x, extract and tar from a file, < file and a pipe; list and info say what it was wrapped in', async (context) => {
    const directory = tempDir(context);
    const path = join(directory, 'full.xb.gz');
    const packed = gzipSync(bytes);
    fs.writeFileSync(path, packed);
    const expected = join(directory, 'expected');
    assertEnded(await run(['-x', '-C', directory], { stdin: { kind: 'pipe', bytes: archive() } }), EXIT.incomplete);
    await extract([bytes], expected);
    const inputs = [
      { words: ['extract', path, '--parallel=2'] },
      { words: ['-x'], stdin: { kind: 'file', path } as const },
      { words: ['-x'], stdin: { kind: 'pipe', bytes: packed } as const },
      { words: ['-x'], stdin: { kind: 'socket', bytes: packed } as const },
    ];
    for (const [index, { words, ...options }] of sampled([...inputs.entries()], 2)) {
      const target = join(directory, `out${index}`);
      fs.mkdirSync(target);
      const { code, stderr } = await run([...words, '-C', target], options);
      assert.equal(code, EXIT.ok, stderr);
      assert.deepEqual(readTree(target), readTree(expected));
    }
    const tar = await run(['tar', path, '-o', join(directory, 'tar')]);
    assert.equal(tar.code, EXIT.ok, tar.stderr);
    assert.match(execFileSync('tar', ['-tf', join(directory, 'tar')]).toString(), /^db\/t\.ibd$/m);
    const cat = await run(['cat', path, 'xtrabackup_info']);
    assert.equal(cat.stdout, 'tool_name = xtrabackup\n');
    assert.match((await run(['list', path])).stdout, /of archive inside gzip\)/);
    assert.match((await run(['info', path])).stdout, /^wrapped in: +gzip$/m);
    const lines = (await run(['list', '--json', path])).stdout;
    assert.deepEqual(linesOf(lines, 'summary')[0]!['wrappers'], ['gzip']);
    assert.deepEqual(linesOf((await run(['info', '--json', path])).stdout, 'info')[0]!['wrappers'], ['gzip']);
    assert.deepEqual(
      linesOf((await run(['list', '--json', '-'], { stdin: { kind: 'pipe', bytes } })).stdout, 'summary')[0]![
        'wrappers'
      ],
      [],
    );
  });

  test('a damaged one: told where, in what, and what of the archive came before', async (context) => {
    const packed = gzipSync(bytes);
    const cut = packed.subarray(0, packed.length - 20);
    const stdin = { kind: 'pipe', bytes: cut } as const;
    const target = tempDir(context);
    const said = new RegExp(`the gzip data ends inside a member\n +at byte ${cut.length} of the gzip data`);
    assertEnded(await run(['-x', '-C', tempDir(context)], { stdin }), EXIT.incomplete, said);
    const saved = await run(['extract', '-', '--keep-going', '-C', target], { stdin });
    assert.equal(saved.code, EXIT.incomplete);
    assert.match(saved.stderr, said);
    assert.ok('ibdata1' in readTree(target));
    const listed = await run(['list', '-'], { stdin });
    assert.equal(listed.code, EXIT.incomplete);
    assert.match(listed.stdout, /whole .* ibdata1/);
    assert.match(listed.stdout, /NOT WHOLE/);
    assert.match(listed.stderr, said);
    // What is inside is damaged, and what is around it is not: its places are those inside.
    const inside = Buffer.from(bytes);
    inside[100_000]! ^= 1;
    const { code, stdout } = await run(['verify', '-'], { stdin: { kind: 'pipe', bytes: gzipSync(inside) } });
    assert.equal(code, EXIT.damaged);
    assert.match(stdout, /XB_BAD_CRC at archive byte \d+/);
    assert.match(stdout, /the archive is inside of gzip data; its bytes are counted there/);
  });

  test('encrypted: a key by option or variable, and what is said without one, or with the wrong one', async (context) => {
    const directory = tempDir(context);
    const path = join(directory, 'full.xbcrypt');
    const file = join(directory, 'key');
    fs.writeFileSync(path, xbcryptFile(bytes, { cipher: 'AES256', bytes: key }));
    fs.writeFileSync(file, key);
    const env = { XBCRYPT_ENCRYPTION_KEY: Buffer.from(key).toString() };
    const calls = [
      ['list', path],
      ['verify', path],
      ['info', path],
      ['-x', '-C', tempDir(context)],
    ];
    for (const words of sampled(calls, 4, 3)) {
      const stdin = words[0] === '-x' ? { stdin: { kind: 'file', path } as const } : {};
      assert.equal((await run(words, { ...stdin, env })).code, EXIT.ok, words[0]);
      const without = await run(words, stdin);
      assert.equal(without.code, EXIT.undecodable, words[0]);
      assert.match(without.stdout + without.stderr, /XBCRYPT_ENCRYPTION_KEY|encrypt-key-file/);
      if (words[0] === 'verify') continue;
      assert.equal((await run([...words, '-f', file], { ...stdin })).code, words[0] === '-x' ? EXIT.refused : EXIT.ok);
      const wrong = await run([...words, '-k', '0123456789abcdef0123456789abcdef'], stdin);
      assert.equal(wrong.code, EXIT.undecodable);
      assert.match(wrong.stderr, /the key or the cipher is not the one/);
    }
  });

  test('wrapped four times: that is enough', async () => {
    const [three, four] = [gzipSync(gzipSync(gzipSync(bytes))), gzipSync(gzipSync(gzipSync(gzipSync(bytes))))];
    assert.deepEqual((await list([three])).wrappers, ['gzip', 'gzip', 'gzip']);
    await assert.rejects(list([four]), { code: 'XB_UNSUPPORTED_LAYER', message: /more than 3 times/ });
  });

  test('where the program is missing that undoes it, it is said what to install', async (context) => {
    if (!hasProgram(context, 'bzip2', 'bzip2')) return;
    const stdin = { kind: 'pipe', bytes: execFileSync('bzip2', ['-c'], { input: bytes }) } as const;
    const result = await run(['-x', '-C', tempDir(context)], { stdin, env: { PATH: '/nowhere' } });
    assertEnded(result, EXIT.undecodable, /bzip2, which undoes that, is not installed/, /apt-get install bzip2/);
  });

  test('xz data that would have gigabytes taken is refused, and what decodes it has no key', async (context) => {
    if (!hasProgram(context, 'xz', 'xz-utils')) return;
    const packed = execFileSync('xz', ['-0', '-c', '-T1'], { input: bytes });
    const header = packed.subarray(12, 12 + 4 * (packed[12]! + 1));
    // Behind LZMA2's number and the length of its properties: a dictionary of 3 GiB.
    header[header.indexOf(Buffer.from([0x21, 1])) + 2] = 39;
    header.writeUInt32LE(crc32(header.subarray(0, -4)), header.length - 4);
    const stdin = { kind: 'pipe', bytes: packed } as const;
    const env = { XZ_DEFAULTS: '--memlimit-decompress=max', XZ_OPT: '--memlimit-decompress=max' };
    const result = await run(['-x', '-C', tempDir(context)], { stdin, env });
    assertEnded(result, EXIT.undecodable, /the xz data needs more memory to decode than is given to it/);
    const programs = tempDir(context);
    fs.writeFileSync(join(programs, 'xz'), '#!/bin/sh\n/usr/bin/env >"$0.env"\n', { mode: 0o755 });
    const secret = { XBCRYPT_ENCRYPTION_KEY: Buffer.from(key).toString(), AWS_SECRET_ACCESS_KEY: 'secret' };
    await run(['list', '-'], { stdin, env: { PATH: `${programs}:${process.env['PATH']}`, ...secret } });
    const given = fs.readFileSync(join(programs, 'xz.env'), 'utf8');
    assert.match(given, /^PATH=/m);
    assert.doesNotMatch(given, /KEY/);
  });

  test('zstd: what another program compressed is no part of it, and what stands before is', async (context) => {
    const half = Math.ceil(bytes.length / 2);
    const [first, second] = encode('zstd', [bytes.subarray(0, half), bytes.subarray(half)]) as [Buffer, Buffer];
    for (const rest of sampled([gzipSync(bytes), encode('lz4', [bytes])[0]!], 2, 1)) {
      const target = tempDir(context);
      const stdin = { kind: 'pipe', bytes: Buffer.concat([first, second, rest]) } as const;
      const result = await run(['extract', '-', '--keep-going', '-C', target], { stdin });
      assertEnded(result, EXIT.damaged, /no zstd frame where one should begin/);
      assert.match(result.stderr, new RegExp(`at byte ${first.length + second.length} of the zstd data`));
      assert.deepEqual(Object.keys(readTree(target)).length, 3);
    }
  });

  test('what came as whole archives packed by qpress', async (context) => {
    const target = tempDir(context);
    const { ok, files } = await extract(reportPath('08-whole-archive.xb.qp'), target);
    assert.deepEqual([ok, files], [true, Object.keys(readTree(target)).length]);
    assert.ok(files > 0);
  });

  test('readChunks and readEntries, from a file and a stream; decodeStream: false refuses', async (context) => {
    const path = join(tempDir(context), 'full.gz');
    fs.writeFileSync(path, gzipSync(xbcryptFile(bytes, { cipher: 'AES256', bytes: key })));
    const inputs = [() => path, () => fs.createReadStream(path), () => [fs.readFileSync(path)]];
    for (const input of sampled(inputs, 3, 1)) {
      let payloadBytes = 0;
      for await (const { header, payload } of readChunks(input(), { key })) {
        if (header.type === 'payload') for await (const piece of payload()) payloadBytes += piece.bytes.length;
      }
      assert.equal(payloadBytes, 150_000 + 60_000 + 23);
      const paths: string[] = [];
      for await (const entry of readEntries(input(), { key })) paths.push(entry.path);
      assert.deepEqual(paths, ['ibdata1', 'db/old.ibd', 'db/old.ibd', 'xtrabackup_info']);
      // Whoever ends early is not kept.
      for await (const chunk of readChunks(input(), { key })) if (chunk.header.type === 'payload') break;
    }
    await assert.rejects(readChunks(path, { decodeStream: false }).next(), { code: 'XB_BAD_MAGIC' });
    await assert.rejects(readChunks(path).next(), { code: 'XB_KEY_REQUIRED' });
    await assert.rejects(info(path, { decodeStream: false }), { code: 'XB_BAD_MAGIC' });
  });

  test('what is wrong inside is told at once, also where the input is silent from then on', async () => {
    const inside = Buffer.from(bytes);
    inside[1000]! ^= 1;
    async function* silent(): AsyncGenerator<Buffer> {
      yield gzipSync(inside);
      await new Promise(() => undefined);
    }
    const read = async (): Promise<void> => {
      for await (const { header } of readChunks(silent())) assert.ok(header.path);
    };
    await assert.rejects(read(), { code: 'XB_BAD_CRC' });
  });

  test('a bomb takes time, and no memory', async (context) => {
    // All of it zeros in one chunk: 256 MiB are 1 MiB of gzip in 1.5 KiB of gzip.
    const zeros = Buffer.alloc((SOAK ? 256 : 220) * 1024 * 1024);
    const bomb = gzipSync(gzipSync(archive(file('zeros', zeros)), { level: 1 }));
    const { code, peakBytes } = await run(['verify', '-', '--backup=never'], {
      stdin: { kind: 'pipe', bytes: bomb },
      measureMemory: true,
    });
    assert.equal(code, EXIT.ok);
    assert.ok(peakBytes < 200e6, `${peakBytes} bytes`);
    context.diagnostic(`${bomb.length} bytes of input`);
  });

  test('a signal ends it at once, also while the input is silent', async (context) => {
    const { child, ended } = start(['-x', '-C', tempDir(context)], {
      stdin: { kind: 'open', stdio: silentPipe(context) },
    });
    setTimeout(() => child.kill('SIGTERM'), 700);
    assert.equal((await ended).signal, 'SIGTERM');
  });
});

/** A pipe through which the beginning of a gzip'ed archive has come, and nothing more does. */
function silentPipe(context: { after(work: () => void): void }): number {
  const { readFd, writeFd } = openPipe();
  fs.writeSync(writeFd, gzipSync(bytes).subarray(0, 50_000));
  context.after(() => {
    fs.closeSync(writeFd);
    fs.closeSync(readFd);
  });
  return readFd;
}
