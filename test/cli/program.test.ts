/** What can only be seen from outside the process. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sampled } from '../helpers/programs.js';

const PROGRAM = fileURLToPath(new URL('../../bin/tsxbstream.js', import.meta.url));
const FAKE_PROGRAM = fileURLToPath(new URL('fake-program.js', import.meta.url));

type Child = ChildProcessByStdio<null, Readable, Readable>;

interface Ended {
  stdout: string;
  stderr: string;
  /** The exit code, or the name of the signal. */
  end: number | string | null;
}

function start(nodeWords: readonly string[], env: NodeJS.ProcessEnv = {}, stdout: 'pipe' | number = 'pipe'): Child {
  return spawn(process.execPath, nodeWords, {
    env: { ...process.env, NO_COLOR: '', TSXBSTREAM_DEBUG: '', ...env },
    stdio: ['ignore', stdout, 'pipe'],
  }) as Child;
}

function startFake(scenario: string, ...words: string[]): Child {
  return start([FAKE_PROGRAM, ...words], { SCENARIO: scenario });
}

async function textOf(stream: Readable | null): Promise<string> {
  let text = '';
  if (stream !== null) for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}

async function ended(child: Child): Promise<Ended> {
  const end = new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return { stdout, stderr, end: await end };
}

/** Resolves when the fake verb has said that it is running. */
async function running(child: Child): Promise<void> {
  await new Promise<void>((resolve) => {
    child.stderr.once('readable', () => resolve());
  });
}

/** The files of ours and of our dependencies that a run loads. */
async function loadedFiles(...words: string[]): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tsxbstream-test-'));
  try {
    await ended(start([PROGRAM, ...words], { NODE_V8_COVERAGE: directory }));
    // Of the main thread only.
    const reports = readdirSync(directory).filter((name) => name.endsWith('-0.json'));
    const urls = reports.flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as { result: { url: string }[] };
      return result.map(({ url }) => url);
    });
    return urls
      .filter((url) => url.startsWith('file:'))
      .map((url) => url.replace(/.*\/(dist|bin|node_modules)\//, '$1/').replace(/-[A-Z0-9]{8}\.js$/, '.js'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

suite('the program', { concurrency: 4 }, () => {
  test('--version loads next to nothing', async () => {
    assert.deepEqual((await loadedFiles('--version')).sort(), [
      'bin/tsxbstream.js',
      'dist/needed-node.js',
      'dist/program/chunk.js',
      'dist/program/main.js',
    ]);
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    for (const word of ['--version', '-V']) {
      assert.deepEqual(await ended(start([PROGRAM, word])), { stdout: `tsxbstream ${version}\n`, stderr: '', end: 0 });
    }
    const link = join(mkdtempSync(join(tmpdir(), 'tsxbstream-link-')), 'xbstream');
    symlinkSync(PROGRAM, link);
    const { stdout } = await ended(start([link, '--version']));
    assert.equal(stdout, `xbstream  Ver ${version} for ${process.platform} on ${process.arch} (tsxbstream)\n`);
    rmSync(dirname(link), { recursive: true });
  });

  test('the xbstream form loads no dependency to read its command line', async () => {
    const files = await loadedFiles('-x', '-C', '/nowhere', '--parallel=0');
    assert.ok(files.includes('dist/program/run.js'));
    assert.deepEqual(
      files.filter((file) => file.startsWith('node_modules/')),
      [],
    );
  });

  test('help is for stdout, usage for stderr', async () => {
    const help = await ended(start([PROGRAM, '--help']));
    assert.deepEqual([help.stderr, help.end], ['', 0]);
    assert.match(help.stdout, /^tsxbstream .*\n\nUsage:\n/);
    const usage = await ended(start([PROGRAM]));
    assert.deepEqual([usage.stdout, usage.end], ['', 2]);
    assert.match(usage.stderr, /^Usage:\n/);
  });

  for (const name of sampled(['xbstream', 'mbstream'], 2)) {
    test(`through a symbolic link named ${name} it is ${name}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'tsxbstream-test-'));
      try {
        symlinkSync(PROGRAM, join(directory, name));
        assert.deepEqual(await ended(start([join(directory, name), 'extract', '-v'])), {
          stdout: '',
          stderr: `tsxbstream: it is not said what to do
  the verb comes first: tsxbstream extract ...
  to unpack the archive on stdin: tsxbstream -x -C DIR < ARCHIVE
  what else there is: tsxbstream --help
`,
          end: 2,
        });
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }

  test('a command line that cannot be followed is told to a program in JSON, too', async () => {
    const told = await ended(start([PROGRAM, 'extract', '--json', '-Z']));
    assert.deepEqual(
      { ...told, stdout: told.stdout.replace(/(?<="elapsedSeconds":)[\d.]+/, '0') },
      {
        stdout:
          '{"type":"error","code":"XB_USAGE","message":"unknown option -Z","hints":["all options: tsxbstream extract --help"]}\n' +
          '{"type":"summary","ok":false,"archiveBytes":0,"elapsedSeconds":0}\n',
        stderr: 'tsxbstream: unknown option -Z\n  all options: tsxbstream extract --help\n',
        end: 2,
      },
    );
    assert.equal((await ended(start([PROGRAM, '-x', '--json']))).stdout, '', 'stdout of -x is no place for it');
  });

  test('a command line that cannot be followed is told in the colours that it asks for', async () => {
    for (const [words, isColoured] of [
      [['list', '--foo', '--color=always'], true],
      [['-x', '--foo', '--color', 'always'], true],
      [['list', '--color=always', '--foo', '--color=never'], false],
      [['list', '--foo', '--', '--color=always'], false],
    ] as const) {
      const { stderr, end } = await ended(start([PROGRAM, ...words]));
      assert.equal(end, 2, stderr);
      assert.equal(stderr.includes('\x1b['), isColoured, words.join(' '));
    }
  });

  test('a verb that succeeds', async () => {
    assert.deepEqual(await ended(startFake('ok', 'extract', '-C', 'restored')), {
      stdout: 'unpacked 2 files (3.0 MiB from 3.0 MiB of archive) into restored in 1.5 s, 2.0 MiB/s of archive\n',
      stderr: '',
      end: 0,
    });
    assert.deepEqual(await ended(startFake('ok', '-x', '--digest=sha1')), {
      stdout: '',
      stderr: 'c0ffee  -\n',
      end: 0,
    });
  });

  test('a verb that fails tells its error, and exits with its code', async () => {
    assert.deepEqual(await ended(startFake('damaged', 'extract', '-')), {
      stdout: '',
      stderr: 'tsxbstream: checksum mismatch in db1/t2.ibd\n  expected crc32 8d1f32aa, found 17c0e9b2\n',
      end: 3,
    });
  });

  test('of several errors the exit code is that which comes first', async () => {
    assert.deepEqual(await ended(startFake('several', '-x')), {
      stdout: '',
      stderr: `tsxbstream: db1/t1.ibd is incomplete
tsxbstream: cannot create db1/t2.ibd
tsxbstream: checksum mismatch in db1/t3.ibd
`,
      end: 1,
    });
  });

  test('a verb that told an error and went on has not succeeded', async () => {
    assert.deepEqual(await ended(startFake('goesOn', '-x')), {
      stdout: '',
      stderr: 'tsxbstream: db1/t1.ibd is incomplete\n',
      end: 4,
    });
  });

  for (const signal of sampled(['SIGINT', 'SIGTERM', 'SIGHUP'] as const, 2)) {
    test(`${signal} lets a verb clean up, and the process dies of it`, async () => {
      const child = startFake('wait', '-x');
      await running(child);
      child.kill(signal);
      assert.deepEqual(await ended(child), {
        stdout: '',
        stderr: `tsxbstream: warning: waiting\ntsxbstream: warning: unfinished files were left: db1/.t1.ibd.partial\ntsxbstream: interrupted by ${signal}\n`,
        end: signal,
      });
    });
  }

  test('a verb that does not stop is left behind', async () => {
    const child = startFake('deaf', '-x');
    await running(child);
    child.kill('SIGTERM');
    assert.deepEqual(await ended(child), {
      stdout: '',
      stderr: `tsxbstream: warning: waiting
tsxbstream: interrupted by SIGTERM
  it did not stop in time: unfinished files may be left, named .NAME.partial
`,
      end: 'SIGTERM',
    });
  });

  test('a second signal ends the process at once', async () => {
    const child = startFake('deaf', '-x');
    await running(child);
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGINT');
    assert.deepEqual(await ended(child), { stdout: '', stderr: 'tsxbstream: warning: waiting\n', end: 'SIGINT' });
  });

  for (const [closed, words] of [
    ['stdout', ['extract', '-v']],
    ['stderr', ['-xv']],
  ] as const) {
    test(`when nobody reads ${closed} any longer it ends, and not well`, async () => {
      const child = startFake('flood', ...words);
      const told = closed === 'stdout' ? textOf(child.stderr) : '';
      child[closed].once('data', () => child[closed].destroy());
      const end = await new Promise((resolve) => {
        child.once('exit', (code, signal) => resolve(signal ?? code));
      });
      assert.equal(end, 1);
      if (closed === 'stdout') assert.match(await told, /broken off: nobody takes what goes to standard/);
    });
  }

  test(
    'when stdout cannot take what was found out, that is a failure',
    { skip: process.platform !== 'linux' && '/dev/full is of Linux' },
    async () => {
      const words = [FAKE_PROGRAM, 'extract', '--json'];
      assert.deepEqual(await ended(start(words, { SCENARIO: 'ok' }, openSync('/dev/full', 'w'))), {
        stdout: '',
        stderr: 'tsxbstream: cannot write to standard output: no space left on the device (ENOSPC)\n',
        end: 1,
      });
    },
  );

  for (const scenario of ['bug', 'uncaught']) {
    test(`an exception nobody has foreseen (${scenario}) is told as what it is`, async () => {
      const message = scenario === 'bug' ? String.raw`cannot read\x1b[31m this` : 'out of nowhere';
      const { stdout, stderr, end } = await ended(startFake(scenario, '-x'));
      const system = `Node ${process.version}, ${process.platform} ${process.arch}`;
      assert.deepEqual([stdout, end], ['', 1]);
      assert.equal(
        stderr.replace(/tsxbstream \d+\.\d+\.\d+,/, 'tsxbstream VERSION,'),
        `tsxbstream: this is a bug in tsxbstream: TypeError: ${message}
  tsxbstream VERSION, ${system}
  files that have their final name are whole; the rest of the archive is not unpacked
  please report it with the output of the same command under TSXBSTREAM_DEBUG=1
`,
      );
      const withStack = await ended(start([FAKE_PROGRAM, '-x'], { SCENARIO: scenario, TSXBSTREAM_DEBUG: '1' }));
      assert.match(withStack.stderr, /\n {2}at .*fake-program\.js.*\n(.*\n)*.*please report it with these lines\n$/);
    });
  }

  test(
    'a key is taken off the process list',
    { skip: process.platform !== 'linux' && '/proc is of Linux' },
    async () => {
      const ways = [
        ['-x', '-k', 'S3CRET-S3CRET-16'],
        ['-xkS3CRET-S3CRET-16'],
        ['extract', '--encrypt_key=S3CRET-S3CRET-16', '-C', 'somewhere', '-'],
      ];
      for (const words of sampled(ways, 2)) {
        const child = startFake('wait', ...words);
        await running(child);
        const shown = readFileSync(`/proc/${child.pid ?? 0}/cmdline`, 'latin1');
        child.kill('SIGINT');
        await ended(child);
        assert.doesNotMatch(shown, /S3CRET/);
        assert.match(shown, /^tsxbstream (-x --extract|extract) --encrypt-key=\.\.\./);
      }
    },
  );
});

test(
  'a key in a command line that a shell completes is taken off the process list',
  { skip: process.platform !== 'linux' && '/proc is of Linux' },
  () => {
    const look = `import { readFileSync } from 'node:fs';
      process.on('exit', () => process.stderr.write(readFileSync('/proc/self/cmdline')));`;
    const words = ['__complete', 'bash', 'extract', '-k', 'S3CRET-S3CRET-16', '--over'];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(look)}`, PROGRAM, ...words],
      { encoding: 'utf8' },
    );
    assert.equal(stdout, 'nothing\n--overwrite\n');
    assert.doesNotMatch(stderr, /S3CRET/);
    assert.match(stderr, /^tsxbstream __complete/);
  },
);

test("Node may be told V8's own options, which no thread takes", () => {
  const target = mkdtempSync(join(tmpdir(), 'tsxbstream-options-'));
  const words = ['--max-semi-space-size=8', PROGRAM, 'extract', 'samples/percona-plain.xbstream', '-C', target];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  const names = readdirSync(target);
  rmSync(target, { recursive: true });
  assert.equal(status, 0, stderr);
  assert.ok(names.length > 5, names.join());
});
