/** `verify --tee` passes on what it verifies, byte for byte, whatever it finds and whatever its reader does. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { PROGRAM, run, start, type RunOptions, type RunResult } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { EXIT } from '../helpers/outcome.js';
import { feed, openPipe } from '../helpers/pipes.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { tenDamages } from '../helpers/ten-damages.js';
import { untilListening } from '../helpers/wait.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** That stdin is a socket makes a difference to nothing but the reading, which has tests of its own. */
const KINDS = SOAK ? (['pipe', 'socket'] as const) : (['pipe'] as const);

/** More than pipes and memory for pieces hold. */
const LARGE = archive(file('db/t1.ibd', noise(10 * 2 ** 20), 2 ** 20), file('xtrabackup_info', 'a = b\n'));

/** What a verification says: all but how long it took. */
function said(text: string): string {
  return text.replace(/ in [\d.]+ m?s.*$/gm, '');
}

async function tee(bytes: Buffer, words: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
  const result = await run(['verify', '--tee', ...words], { stdin: { kind: 'pipe', bytes }, ...options });
  assert.ok(result.stdoutBytes.equals(bytes), `stdout has ${result.stdoutBytes.length} bytes of ${bytes.length}`);
  return result;
}

describe('every fixture is passed on as it is, and whole', { concurrency: 2 }, () => {
  for (const name of sampled(FIXTURE_NAMES, 20, 2)) {
    test(name, async () => {
      const { bytes } = fixture(name);
      const { code, stderr } = await tee(bytes, ['--digest', 'sha256']);
      assert.equal(code, 0, stderr);
      assert.match(stderr, new RegExp(`^${sha256(bytes)} {2}-$`, 'm'));
      assert.match(stderr, /the archive on stdin is whole/);
    });
  }
});

describe('what is wrong is told as without --tee, and passed on all the same', { concurrency: 2 }, () => {
  const good = fixture('mariadb/tiny-full').bytes;
  const zipped = gzipSync(good);
  const flipped = Buffer.from(zipped);
  flipped[flipped.length >> 1]! ^= 1;
  const inputs: Record<string, Buffer> = {
    'twelve damages': tenDamages().bytes,
    'a cut archive': good.subarray(0, good.length - 1000),
    'one that ends between two files': archive(file('ibdata1', 'a'), file('ib_logfile0', 'b')),
    'a wrong checksum early in a large one': archive(payload('a', 0, 'b', { crc: 1 }), end('a'), LARGE),
    'no archive at all': noise(3 * 2 ** 20),
    nothing: Buffer.alloc(0),
    'a wrapped archive': zipped,
    'a damaged wrapper': flipped,
    'a cut wrapper': zipped.subarray(0, zipped.length >> 1),
  };
  for (const [what, bytes] of sampled(Object.entries(inputs), 3)) {
    for (const kind of KINDS) {
      test(`${what}, from a ${kind}`, async () => {
        const plain = await run(['verify', '-'], { stdin: { kind, bytes } });
        const { code, stderr } = await tee(bytes, [], { stdin: { kind, bytes } });
        assert.equal(code, plain.code);
        assert.equal(said(stderr), said(plain.stdout + plain.stderr));
      });
    }
  }

  test('a wrong checksum in a file', async (context) => {
    const path = join(tempDir(context), 'archive');
    const bytes = inputs['twelve damages']!;
    fs.writeFileSync(path, bytes);
    const { code, stderr, stdoutBytes } = await run(['verify', '--tee', path]);
    assert.equal(code, EXIT.damaged);
    assert.match(stderr, /is NOT whole/);
    assert.ok(stdoutBytes.equals(bytes));
  });
});

describe('who reads stdout', { concurrency: 2 }, () => {
  const whole = /the archive on stdin is whole/;

  test('may go away: the verdict is that of the archive, and the exit code not 0', () => {
    const script = 'cat | "$1" "$2" verify --tee | head -c 100000 > /dev/null; echo "${PIPESTATUS[@]}"';
    const words = ['-c', script, 'bash', process.execPath, PROGRAM];
    const { stdout, stderr } = spawnSync('bash', words, { input: LARGE, encoding: 'utf8' });
    assert.equal(stdout, '0 1 0\n');
    assert.match(stderr, whole);
    assert.match(stderr, /the copy on standard output is incomplete[^]*EPIPE/);
  });

  test('may be gone before the first byte', async () => {
    const { readFd, writeFd } = openPipe();
    fs.closeSync(readFd);
    const { code, stderr } = await run(['verify', '--tee'], { stdin: { kind: 'pipe', bytes: LARGE }, stdout: writeFd });
    fs.closeSync(writeFd);
    assert.equal(code, EXIT.refused);
    assert.match(stderr, whole);
    assert.match(stderr, /the copy on standard output is incomplete/);
  });

  test('may go away while the archive is damaged: both are told', async () => {
    const { readFd, writeFd } = openPipe();
    fs.closeSync(readFd);
    const bytes = archive(payload('a', 0, 'b', { crc: 1 }), end('a'), LARGE);
    const { code, stderr } = await run(['verify', '--tee'], { stdin: { kind: 'pipe', bytes }, stdout: writeFd });
    fs.closeSync(writeFd);
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /XB_BAD_CRC[^]*the archive on stdin is NOT whole: 1 problem;[^]*copy on standard output/);
  });

  test('may be slow: no more is read than it takes, and nothing is lost', async () => {
    const input = openPipe();
    const output = openPipe();
    const { ended } = start(['verify', '--tee'], {
      stdin: { kind: 'open', stdio: input.readFd },
      stdout: output.writeFd,
      measureMemory: true,
    });
    fs.closeSync(input.readFd);
    fs.closeSync(output.writeFd);
    let fed = 0;
    const feeding = (async () => {
      for (let at = 0; at < LARGE.length; at += 65536) {
        await new Promise<void>((resolve, reject) => {
          fs.write(input.writeFd, LARGE, at, Math.min(65536, LARGE.length - at), null, (error) =>
            error === null ? resolve() : reject(error),
          );
        });
        fed = at;
      }
      fs.closeSync(input.writeFd);
    })();
    for (let before = -1; fed === 0 || fed !== before;) {
      before = fed;
      await sleep(300);
    }
    assert.ok(fed < 2 * 2 ** 20, `${fed} bytes were taken and nobody had read any`);
    const got: Buffer[] = [];
    for await (const piece of fs.createReadStream('', { fd: output.readFd })) got.push(piece as Buffer);
    await feeding;
    const { code, stderr } = await ended;
    assert.deepEqual([code, Buffer.concat(got).equals(LARGE)], [0, true]);
    assert.match(stderr, whole);
  });

  test('may stop for good: a signal ends it', async () => {
    const input = openPipe();
    const output = openPipe();
    const { child, ended } = start(['verify', '--tee'], {
      stdin: { kind: 'open', stdio: input.readFd },
      stdout: output.writeFd,
    });
    fs.closeSync(input.readFd);
    fs.closeSync(output.writeFd);
    const feeding = feed(input.writeFd, LARGE);
    await untilListening(child.pid!);
    await sleep(500);
    child.kill('SIGINT');
    const { signal, stderr } = await ended;
    assert.equal(signal, 'SIGINT');
    assert.match(stderr, /interrupted by SIGINT/);
    fs.closeSync(output.readFd);
    await feeding;
  });

  test('may set the pipe to return at once', async () => {
    // Both ends of a socket do, and so does a pipe that another program has set so.
    const script = `const { spawn } = require('node:child_process');
      process.stdout.write('');
      spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' }).on('exit', (code) => process.exit(code));`;
    const child = spawn(
      'bash',
      ['-c', `"$0" -e "$1" "$2" verify --tee | (sleep 0.3; cat)`, process.execPath, script, PROGRAM],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    child.stdin.end(LARGE);
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    await new Promise((resolve) => child.on('close', resolve));
    assert.ok(Buffer.concat(parts).equals(LARGE));
  });

  test('may be a disk that is full', async () => {
    const fd = fs.openSync('/dev/full', 'w');
    const { code, stderr } = await run(['verify', '--tee'], { stdin: { kind: 'pipe', bytes: LARGE }, stdout: fd });
    fs.closeSync(fd);
    assert.equal(code, EXIT.refused);
    assert.match(stderr, whole);
    assert.match(stderr, /the copy on standard output is incomplete[^]*ENOSPC/);
  });

  test('may be a file', async (context) => {
    const path = join(tempDir(context), 'copy');
    const fd = fs.openSync(path, 'w');
    const { code } = await run(['verify', '--tee'], { stdin: { kind: 'pipe', bytes: LARGE }, stdout: fd });
    fs.closeSync(fd);
    assert.deepEqual([code, fs.readFileSync(path).equals(LARGE)], [0, true]);
  });

  test('must not be a terminal', { skip: process.platform !== 'linux' }, () => {
    const command = `'${process.execPath}' '${PROGRAM}' verify --tee < /dev/null; echo code $?`;
    const text = execFileSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' });
    assert.match(text, /stdout is a terminal[^]*code 2/);
  });
});

describe('beside the copy', { concurrency: 2 }, () => {
  test('--index, --info, --manifest and --digest say what they say without it', async (context) => {
    const directory = tempDir(context);
    const bytes = fixture('mariadb/tiny-full').bytes;
    const path = join(directory, 'archive');
    fs.writeFileSync(path, bytes);
    const files = (name: string): string[] =>
      ['index', 'info', 'manifest'].flatMap((what) => [`--${what}`, join(directory, `${name}.${what}`)]);
    const { code, stderr } = await tee(bytes, ['--digest', 'sha256', '--backup', ...files('tee')]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(sha256(bytes)));
    const plain = await run(['verify', ...files('plain'), path]);
    assert.equal(plain.code, 0, plain.stderr);
    const read = (name: string): string => fs.readFileSync(join(directory, name), 'latin1');
    assert.equal(read('tee.index'), read('plain.index'));
    assert.equal(read('tee.manifest'), read('plain.manifest'));
    const told = JSON.parse((await run(['info', '--json', '-'], { stdin: { kind: 'pipe', bytes } })).stdout) as object;
    const written = JSON.parse(read('tee.info')) as object;
    assert.deepEqual({ ...written, elapsedSeconds: 0 }, { ...told, elapsedSeconds: 0 });
  });

  test('of a damaged archive there is no index, and the description says so', async (context) => {
    const directory = tempDir(context);
    const [index, info] = [join(directory, 'index'), join(directory, 'info')];
    const bytes = archive(payload('a', 0, 'b', { crc: 1 }), end('a'), file('xtrabackup_info', 'tool_name = x\n'));
    const { code, stderr } = await tee(bytes, ['--index', index, '--info', info]);
    assert.equal(code, EXIT.damaged);
    assert.match(stderr, /no index was written/);
    assert.deepEqual(fs.readdirSync(directory), ['info']);
    const { ok, complete, tool } = JSON.parse(fs.readFileSync(info, 'utf8')) as Record<string, unknown>;
    assert.deepEqual([ok, complete, tool], [false, false, 'x']);
  });

  test('of a wrapped one there is none', async (context) => {
    const index = join(tempDir(context), 'index');
    const { code, stderr } = await tee(gzipSync(LARGE), ['--index', index]);
    assert.equal(code, EXIT.undecodable);
    assert.match(stderr, /is whole[^]*XB_UNSUPPORTED_LAYER|is whole[^]*no index of an archive that is gzip/);
    assert.equal(fs.existsSync(index), false);
  });

  test('a name that is taken is told before anything is passed on', async (context) => {
    const index = join(tempDir(context), 'index');
    fs.writeFileSync(index, 'of somebody');
    const result = await run(['verify', '--tee', '--index', index], { stdin: { kind: 'pipe', bytes: LARGE } });
    assert.deepEqual([result.code, result.stdout, fs.readFileSync(index, 'utf8')], [EXIT.refused, '', 'of somebody']);
  });

  test('--backup is strict', async () => {
    const bytes = archive(file('a', 'b'));
    assert.equal((await tee(bytes)).code, 0);
    assert.equal((await tee(bytes, ['--backup'])).code, EXIT.incomplete);
  });

  test('stdout has no room for --json', async () => {
    const { code, stderr } = await run(['verify', '--tee', '--json'], { stdin: { kind: 'pipe', bytes: LARGE } });
    assert.equal(code, EXIT.usage);
    assert.match(stderr, /--tee gives stdout to the archive/);
  });
});
