/** What lies at an address is what lies in a file: the same files, lists, verdicts and exit codes. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { extract, info, list, verify, readEntries, XbstreamError, type ListResult } from 'tsxbstream';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run, start } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { writeLargeArchive } from '../helpers/large-archive.js';
import { startNginx } from '../helpers/nginx.js';
import { EXIT } from '../helpers/outcome.js';
import { openPipe } from '../helpers/pipes.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, sorted } from '../helpers/tree.js';
import { NO_PROXY, serve } from '../helpers/web-server.js';

const ENV = NO_PROXY;
Object.assign(process.env, NO_PROXY);

test('every fixture, behind nginx', async (context) => {
  if (!hasProgram(context, 'nginx', 'nginx')) return;
  const folder = tempDir(context);
  const origin = await startNginx(context, folder);
  for (const name of sampled(FIXTURE_NAMES, 20, 4)) {
    const { bytes, sha256 } = fixture(name);
    fs.writeFileSync(join(folder, 'archive.xbs'), bytes);
    const target = tempDir(context);
    const { code, stderr } = await run(['extract', '-q', `${origin}/archive.xbs`, '-C', target], { env: ENV });
    assert.deepEqual([code, stderr], [EXIT.ok, ''], name);
    const sums = Object.entries(readTree(target)).map(([path, text]) => [path, text.replace(/^\d+ /, '')]);
    assert.deepEqual(Object.fromEntries(sums), sorted(sha256), name);
  }
});

/** What `list`, `verify` and an extraction that goes on say of an archive. */
async function verdicts(context: Parameters<typeof tempDir>[0], input: string | URL): Promise<unknown[]> {
  const told = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      const result = (await work) as Partial<ListResult>;
      return { ok: result.ok, problems: result.problems?.map(({ code, archiveOffset }) => [code, archiveOffset]) };
    } catch (error) {
      assert.ok(error instanceof XbstreamError);
      return [error.code, error.archiveOffset];
    }
  };
  const directory = tempDir(context);
  const said = await Promise.all([
    told(list(input, { keepGoing: true })),
    told(verify(input)),
    told(extract(input, directory, { keepGoing: true })),
  ]);
  return [...said, readTree(directory)];
}

test('cut and flipped: the same verdicts, never a good one', async (context) => {
  const { bytes } = fixture('percona/base-none-NONE');
  const damaged = [0.5, 0.999].flatMap((part) => {
    const at = Math.floor(bytes.length * part);
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 4;
    return [bytes.subarray(0, at), flipped];
  });
  const path = join(tempDir(context), 'archive.xbs');
  for (const variant of sampled(damaged, 4, 1)) {
    fs.writeFileSync(path, variant);
    const { origin } = await serve(context, Buffer.from(variant));
    const fromWeb = await verdicts(context, new URL(`${origin}/archive.xbs`));
    assert.deepEqual(fromWeb, await verdicts(context, path));
    assert.ok(!(fromWeb[1] as { ok?: boolean }).ok);
  }
});

describe('the program', { concurrency: true }, () => {
  const { bytes } = fixture('percona/base-none-NONE');
  const verbs: Record<string, string[]> = {
    list: ['list', '--json', 'ARCHIVE'],
    info: ['info', 'ARCHIVE'],
    cat: ['cat', 'ARCHIVE', '*'],
    tar: ['tar', 'ARCHIVE'],
    'a pattern that matches nothing': ['list', 'ARCHIVE', 'nothing'],
    'verify, with a digest': ['verify', '--json', '--digest', 'sha256', 'ARCHIVE'],
  };
  for (const isSeekable of [true, false]) {
    for (const [name, words] of sampled(Object.entries(verbs), 3, Number(isSeekable))) {
      test(`${name}, from a server ${isSeekable ? 'with' : 'without'} ranges`, async (context) => {
        const path = join(tempDir(context), 'archive.xbs');
        fs.writeFileSync(path, bytes);
        const { origin } = await serve(context, bytes, {
          interfere: (_request, response) => {
            if (!isSeekable) response.writeHead(200).end(bytes);
            return !isSeekable;
          },
        });
        const address = `${origin}/archive.xbs`;
        const results = [];
        for (const archive of [path, address]) {
          const { code, stdout, stderr } = await run(
            words.map((word) => (word === 'ARCHIVE' ? archive : word)),
            { env: ENV },
          );
          const neutral = (text: string): string =>
            text.replaceAll(archive, 'ARCHIVE').replace(/"elapsed\w*":[\d.]+/, '');
          results.push([code, neutral(stdout), neutral(stderr)]);
        }
        assert.deepEqual(results[1], results[0]);
      });
    }
  }

  test('extract of what is gone, or is no archive', async (context) => {
    const { origin } = await serve(context, Buffer.from('<html>welcome</html>'.repeat(100)));
    const page = await run(['extract', `${origin}/`, '-C', tempDir(context)], { env: ENV });
    assert.equal(page.code, EXIT.damaged);
    const { origin: empty } = await serve(context, bytes, {
      interfere: (_request, response) => {
        response.writeHead(404).end();
        return true;
      },
    });
    const gone = await run(['extract', `${empty}/x`, '-C', tempDir(context)], { env: ENV });
    assert.equal(gone.code, EXIT.refused);
    assert.match(gone.stderr, /there is no http:.*\(HTTP 404\)/);
  });

  test('an empty object of a store that gives no range of nothing is told as empty', async (context) => {
    const { origin, asked } = await serve(context, Buffer.alloc(0), {
      interfere: (request, response) => {
        if (request.headers.range === undefined) return false;
        response.writeHead(416).end('<Error><Code>InvalidRange</Code></Error>');
        return true;
      },
    });
    const { code, stderr } = await run(['list', `${origin}/x`], { env: ENV });
    assert.equal(code, EXIT.incomplete, stderr);
    assert.match(stderr, /the input is empty/);
    assert.equal(asked.length, 2);
  });

  test('a signal ends it while a server is silent', async (context) => {
    const { origin, asked } = await serve(context, bytes, { interfere: () => true });
    for (const verb of sampled(['list', 'cat', 'verify'], 2)) {
      const before = asked.length;
      const { child, ended } = start([verb, `${origin}/x`, ...(verb === 'cat' ? ['y'] : [])], { env: ENV });
      while (asked.length === before) await new Promise((resolve) => setTimeout(resolve, 10));
      child.kill('SIGINT');
      const { signal, stderr } = await ended;
      assert.equal(signal, 'SIGINT', stderr);
      assert.doesNotMatch(stderr, /cut short|shorter/);
    }
  });

  test('a signal while a server is silent says nothing against an index', async (context) => {
    const [path, index] = ['x', 'x.idx'].map((name) => join(tempDir(context), name)) as [string, string];
    fs.writeFileSync(path, bytes);
    assert.equal((await run(['index', path, '-o', index])).code, EXIT.ok);
    const { origin, asked } = await serve(context, bytes, { interfere: () => true });
    for (const words of sampled([['list'], ['extract', '-C', tempDir(context)]], 2, 1)) {
      const before = asked.length;
      const { child, ended } = start([...words, '--index', index, `${origin}/x`], { env: ENV });
      while (asked.length === before) await new Promise((resolve) => setTimeout(resolve, 10));
      child.kill('SIGINT');
      const { signal, stderr } = await ended;
      assert.equal(signal, 'SIGINT', stderr);
      assert.doesNotMatch(stderr, /another archive/, words.join(' '));
    }
  });

  test('--timeout: a pipe that is silent is told', async (context) => {
    const { readFd, writeFd } = openPipe();
    const stdin = { kind: 'open', stdio: readFd } as const;
    const { code, stderr } = await run(['-x', '--timeout', '1', '-C', tempDir(context)], { stdin });
    for (const fd of [readFd, writeFd]) fs.closeSync(fd);
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /nothing has come from stdin for 1 s/);
  });
});

test('headers that are far apart are foretold and fetched many at a time; little else is read', async (context) => {
  const path = join(tempDir(context), 'large.xbs');
  const files = 3;
  const chunksPerFile = 400;
  const size = writeLargeArchive(path, { chunkBytes: 10 * 1024 * 1024, files, chunksPerFile });
  const server = await serve(context, { path }, { delayMs: 20 });
  const { entries } = await list(new URL(`${server.origin}/large.xbs`));
  assert.equal(entries.length, files);
  assert.ok(server.mostAtOnce > 40, `${server.mostAtOnce} requests at a time`);
  assert.ok(server.asked.length < 1.3 * files * chunksPerFile, `${server.asked.length} requests`);
  assert.ok(server.sentBytes < size / 1000, `${server.sentBytes} bytes`);
});

test('by an index: two requests to look at an archive, four at most for a file of up to 16 MiB', async (context) => {
  const folder = tempDir(context);
  const [path, index] = [join(folder, 'large.xbs'), join(folder, 'large.idx')];
  const size = writeLargeArchive(path, { chunkBytes: 10 * 1024 * 1024, files: 3, chunksPerFile: 400 });
  const medium = noise(9_000_000, 1);
  const many = Array.from({ length: 200 }, (_, place) => file(`db/s${place}.frm`, noise(2000, place)));
  fs.appendFileSync(path, archive(file('db/medium.ibd', medium), ...many, file('xtrabackup_info', 'tool_name = x')));
  const made = await run(['index', path, '-o', index]);
  assert.equal(made.code, EXIT.ok, made.stderr);
  const server = await serve(context, { path });
  const cases: readonly (readonly [words: readonly string[], requests: number])[] = [
    [['list'], 2],
    [['info'], 2],
    [['cat', 'xtrabackup_info'], 2],
    [['cat', 'db/s0.frm'], 3],
    [['cat', 'db/medium.ibd'], 4],
    [['cat', 'db/s0.frm', 'db/s20.frm', 'db/medium.ibd'], 5],
  ];
  for (const [[verb, ...more], requests] of sampled(cases, 2)) {
    const before = [server.asked.length, server.sentBytes] as const;
    const words = [verb!, '--index', index, `${server.origin}/large.xbs`, ...more];
    const { code, stderr, stdoutBytes } = await run(words, { env: ENV });
    assert.deepEqual([code, stderr], [EXIT.ok, ''], words.join(' '));
    assert.ok(
      server.asked.length - before[0] <= requests,
      `${server.asked.length - before[0]} requests: ${more.join(' ')}`,
    );
    assert.ok(server.sentBytes - before[1] < size / 1000, `${server.sentBytes - before[1]} bytes: ${more.join(' ')}`);
    if (more.length === 1 && more[0] === 'db/medium.ibd') assert.ok(stdoutBytes.equals(medium));
  }
});

test('on the event loop of a program', async (context) => {
  const { bytes, sha256 } = fixture('percona/base-none-NONE');
  for (const isSeekable of [true, false]) {
    const { origin } = await serve(context, bytes, {
      interfere: (_request, response) => {
        if (!isSeekable) response.writeHead(200).end(bytes);
        return !isSeekable;
      },
    });
    const names: string[] = [];
    for await (const { path } of readEntries(new URL(`${origin}/x`))) names.push(path);
    assert.deepEqual(names.sort(), Object.keys(sha256).sort());
  }
  const description = await info(new URL((await serve(context, bytes)).origin));
  assert.equal(description.files, Object.keys(sha256).length);
});
