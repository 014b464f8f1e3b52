/** One archive, verified in shards: the verdict of all of them is that of one run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import {
  archive,
  end,
  file,
  noise,
  payload,
  remove,
  rename,
  rewriting,
  seek,
  sparse,
} from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { damagedArchive } from '../helpers/damaged-archives.js';
import { fixturePath } from '../helpers/fixtures.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { startNginx } from '../helpers/nginx.js';
import { objectsOf, writeObjects, type TestObject } from '../helpers/objects.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled, SOAK, someOf } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { NO_PROXY, serve } from '../helpers/web-server.js';

Object.assign(process.env, NO_PROXY);

const schema = JSON.parse(fs.readFileSync(new URL('../../docs/shard-result.schema.json', import.meta.url), 'utf8')) as {
  $defs: Record<string, object>;
};

/** The schema, with no place for fields that it does not know. */
const validate = new Ajv2020({ strict: false, allErrors: true }).compile({
  ...schema,
  $defs: Object.fromEntries(
    Object.entries(schema.$defs).map(([name, value]) => {
      return [name, 'required' in value ? { ...value, additionalProperties: false } : value];
    }),
  ),
});

function written(context: TestContext, bytes: Buffer, name = 'backup.xbstream'): string {
  const path = join(tempDir(context), name);
  fs.writeFileSync(path, bytes);
  return path;
}

/** Checks all shards. @returns the results' files, and the exit codes */
async function checked(
  context: TestContext,
  path: string,
  shards: number,
  options: readonly string[] = [],
): Promise<{ results: string[]; codes: (number | null)[]; texts: string[] }> {
  const directory = tempDir(context);
  const runs: RunResult[] = [];
  for (let shard = 1; shard <= shards; shard += 1) {
    runs.push(await run(['verify', '--shard', `${shard}/${shards}`, ...options, path]));
  }
  const results = runs.map(({ stdout }, index) => {
    const name = join(directory, `result-${index}`);
    fs.writeFileSync(name, stdout);
    return name;
  });
  return { results, codes: runs.map(({ code }) => code), texts: runs.map(({ stdout }) => stdout) };
}

/** What was printed, without the time that it took. */
function untimed({ code, stdout, stderr }: RunResult): unknown {
  return { code, stdout: stdout.replace(/, in .*|(?<=\)) in .*|"elapsedSeconds":[^,}]*/g, ''), stderr };
}

/** Every kind of chunk, sound and damaged. */
function everything(): Buffer {
  const sound = archive(
    file('db1/t1.ibd', noise(20_000), 3000),
    sparse(
      'db1/s',
      0,
      [
        [7, 300],
        [9, 0],
      ],
      noise(300),
    ),
    end('db1/s'),
    payload('ma', 0, 'one'),
    seek('ma', 100),
    payload('ma', 100, 'two'),
    end('ma'),
    rewriting('ma', 'again'),
    end('ma'),
    remove('db1/s'),
    rename('ma', 'mb'),
    file('caf\xe9', noise(4000, 3), 500),
    file('db1/t2.ibd', noise(20_000, 2), 3000),
  );
  const damaged = Buffer.from(sound);
  damaged[8000]! ^= 1;
  damaged[sound.indexOf('caf\xe9') - 6]! ^= 0x81;
  return damaged;
}

describe('an archive verified in shards', { concurrency: 2 }, () => {
  test('is whole: every shard ends well, and all of them together say what one run says', async (context) => {
    const path = fixturePath('percona/base-none-NONE');
    const { results, codes } = await checked(context, path, SOAK ? 4 : 2);
    assert.deepEqual(codes, SOAK ? [0, 0, 0, 0] : [0, 0]);
    for (const words of sampled([[], ['--json']], 2, 1)) {
      const merged = await run(['verify', ...words, '--merge', ...results]);
      assert.equal(merged.code, EXIT.ok);
      assert.deepEqual(untimed(merged), untimed(await run(['verify', ...words, path])));
    }
  });

  for (const shards of sampled([1, 3, 7], 3, 1)) {
    test(`damaged, in ${shards}: the same problems, in the same words and order, and exit code`, async (context) => {
      const path = written(context, everything());
      const { results, codes, texts } = await checked(context, path, shards);
      assert.ok(codes.includes(EXIT.damaged));
      const merged = await run(['verify', '--merge', '--archive', path, ...[...results].reverse()]);
      const alone = await run(['verify', '--parallel=1', path]);
      assert.equal(alone.code, EXIT.damaged);
      assert.deepEqual(untimed(merged), untimed(alone));
      for (const line of texts.join('').trimEnd().split('\n')) {
        assert.ok(validate(JSON.parse(line)), `${line}\n${JSON.stringify(validate.errors)}`);
      }
    });
  }

  // test/engine/shards.test.ts has more of them, in this process.
  const some = someOf(2);
  some('cut: the shard with the end says so, and the verdict is that of one run', async (context) => {
    const bytes = archive(file('a', noise(9000), 1000), file('b', noise(9000, 2), 1000));
    const path = written(context, bytes.subarray(0, bytes.length - 100));
    const { results, codes } = await checked(context, path, 3);
    assert.deepEqual(codes, [EXIT.ok, EXIT.ok, EXIT.incomplete]);
    const [merged, alone] = [await run(['verify', '--merge', ...results]), await run(['verify', path])];
    assert.equal(merged.code, EXIT.incomplete);
    assert.deepEqual(untimed(merged), untimed(alone));
  });

  some(
    "a file without an end is nobody's alone: every shard ends well, and the verdict says what is missing",
    async (context) => {
      const path = written(
        context,
        archive(file('a', noise(9000), 1000), payload('b', 0, noise(9000, 2)), file('c', noise(500))),
      );
      const { results, codes } = await checked(context, path, 3);
      assert.deepEqual(codes, [EXIT.ok, EXIT.ok, EXIT.ok]);
      const merged = await run(['verify', '--merge', ...results]);
      assert.equal(merged.code, EXIT.incomplete);
      assert.match(merged.stdout, /XB_MISSING_EOF.*the archive ends before b is complete/);
    },
  );

  some('that should be a finished backup, and is none', async (context) => {
    const path = written(context, file('a', noise(9000), 1000));
    const { results } = await checked(context, path, 2);
    const merged = await run(['verify', '--merge', '--backup=always', ...results]);
    const alone = await run(['verify', '--backup=always', path]);
    assert.equal(merged.code, EXIT.incomplete);
    assert.deepEqual(untimed(merged), untimed(alone));
  });

  test('in more shards than a process may have files open', async (context) => {
    const [shards, path, directory] = [200, written(context, file('a', 'b')), tempDir(context)];
    const [one, none] = await Promise.all([1, 2].map((shard) => run(['verify', `--shard=${shard}/${shards}`, path])));
    const results = Array.from({ length: shards }, (_, index) => join(directory, `result-${index + 1}`));
    for (const [index, result] of results.entries()) {
      // All others are as the second: there is one chunk that proves itself.
      const text = index === 0 ? one!.stdout : none!.stdout.replace('"shard":2', `"shard":${index + 1}`);
      fs.writeFileSync(result, text);
    }
    const wrapper = ['sh', '-c', 'ulimit -n 100; exec "$@"', 'sh'];
    const { code, stderr } = await run(['verify', '--merge', ...results], { wrapper });
    assert.equal(code, EXIT.ok, stderr);
  });

  test('in parts whose names are longer than a line of a result', async (context) => {
    const folder = join(tempDir(context), 'x'.repeat(200));
    fs.mkdirSync(folder);
    const bytes = archive(file('a', noise(3000), 1000), file('b', noise(3000, 2), 1000));
    const parts = Array.from({ length: 1400 }, (_, index) => join(folder, `x.${1000 + index}`));
    const size = Math.ceil(bytes.length / parts.length);
    for (const [index, part] of parts.entries()) fs.writeFileSync(part, bytes.subarray(index * size).subarray(0, size));
    const result = join(folder, 'result');
    fs.writeFileSync(result, (await run(['verify', '--shard=1/1', '--parts', ...parts])).stdout);
    const merged = await run(['verify', '--merge', result]);
    assert.deepEqual(untimed(merged), untimed(await run(['verify', '--parts', ...parts])));
    assert.equal(merged.code, EXIT.ok, merged.stderr);
  });

  test('from where stdin stands, and in parts', async (context) => {
    const bytes = archive(file('a', noise(9000), 1000), file('b', noise(9000, 2), 1000));
    const shifted = written(context, Buffer.concat([noise(700), bytes]));
    const directory = tempDir(context);
    const parts = ['x.00', 'x.01', 'x.02'].map((name) => join(directory, name));
    parts.forEach((part, index) => fs.writeFileSync(part, bytes.subarray(index * 7000, index * 7000 + 7000)));
    for (const [words, stdin] of [
      [['-'], { kind: 'file', path: shifted, from: 700 }],
      [['--parts', ...parts], undefined],
    ] as const) {
      const results: string[] = [];
      for (const shard of [1, 2]) {
        const { code, stdout, stderr } = await run(['verify', '--shard', `${shard}/2`, ...words], stdin && { stdin });
        assert.equal(code, EXIT.ok, stderr);
        results.push(written(context, Buffer.from(stdout)));
      }
      const named = stdin === undefined ? parts.flatMap((part) => ['--archive', part]) : [];
      const merged = await run(['verify', '--merge', ...named, ...results]);
      assert.equal(merged.code, EXIT.ok, merged.stdout);
      const alone = await run(['verify', ...words], stdin && { stdin });
      assert.deepEqual(untimed(merged), untimed(alone));
    }
  });

  some('where the results alone do not tell, the archive is asked for, and tells', async (context) => {
    // The shard that begins with the inner archive never comes to a chunk of the outer one.
    const inner = archive(...Array.from({ length: 40 }, (_, index) => file(`i${index}`, noise(200, index), 100)));
    const path = written(
      context,
      archive(payload('b.xbstream', 0, inner), payload('b.xbstream', inner.length, 'rest'), end('b.xbstream')),
    );
    const { results } = await checked(context, path, 5);
    const alone = await run(['verify', path]);
    assert.equal(alone.code, EXIT.ok);
    assert.deepEqual(untimed(await run(['verify', '--merge', '--archive', path, ...results])), untimed(alone));
    const damaged = damagedArchive(11);
    const other = written(context, damaged.bytes);
    assertEnded(await run(['verify', '--merge', '--archive', other, ...results]), EXIT.usage, /not those of/);
  });
});

describe('shards of what is no file of this machine', { concurrency: 2 }, () => {
  /** What all shards of an archive, whose names are none of files, come to: with the archive named, and without. */
  async function assertLikeOneRun(context: TestContext, name: string, expected: number): Promise<RunResult> {
    const { results } = await checked(context, name, SOAK ? 3 : 2);
    const alone = await run(['verify', '--parallel=1', name]);
    assert.equal(alone.code, expected, alone.stdout + alone.stderr);
    assert.deepEqual(untimed(await run(['verify', '--merge', '--archive', name, ...results])), untimed(alone));
    const merged = await run(['verify', '--merge', ...results]);
    assert.equal(merged.code, expected, merged.stdout + merged.stderr);
    return merged;
  }

  test('at an address, each of which fetches its own part', async (context) => {
    if (!hasProgram(context, 'nginx', 'nginx')) return;
    const folder = tempDir(context);
    const bytes = archive(...Array.from({ length: 6 }, (_, index) => file(`f${index}`, noise(90_000, index), 30_000)));
    fs.writeFileSync(join(folder, 'whole'), bytes);
    fs.writeFileSync(join(folder, 'cut'), bytes.subarray(0, bytes.length - 200));
    fs.writeFileSync(join(folder, 'damaged'), everything());
    const origin = await startNginx(context, folder);
    const archives = { whole: EXIT.ok, cut: EXIT.incomplete, damaged: EXIT.damaged };
    for (const [name, code] of sampled(Object.entries(archives), 3, 2)) {
      await assertLikeOneRun(context, `${origin}/${name}`, code);
    }
    // What is secret in an address is in no result.
    const { texts } = await checked(context, `${origin}/whole?signature=5ec3e7`, SOAK ? 2 : 1);
    assert.match(texts.join(''), /"archive":\["http:\/\/127[^"]*\/whole\?\.\.\."\]/);
    assert.doesNotMatch(texts.join(''), /5ec3e7/);
    const other = await run(['verify', '--shard=1/2', `${origin}/missing`]);
    assertEnded(other, EXIT.refused, /404/);
  });

  test('whose server gives no ranges of bytes: refused', async (context) => {
    const bytes = file('a', noise(9000), 1000);
    const server = await serve(context, bytes, {
      interfere: (_, response) => !response.writeHead(200).end(bytes).destroyed,
    });
    const { code, stderr } = await run(['verify', '--shard=1/2', `${server.origin}/x`]);
    assert.equal(code, EXIT.usage);
    assert.match(stderr, /compressed or encrypted as a whole, or its server gives no ranges of bytes/);
  });

  describe("of xbcloud's objects", () => {
    const objects = objectsOf(
      archive(...Array.from({ length: 5 }, (_, index) => file(`db/t${index}.ibd`, noise(9000, index), 1500))),
    );
    const without = (...gone: number[]): TestObject[] => objects.filter((_, index) => !gone.includes(index));
    const cases: readonly (readonly [string, readonly TestObject[], number, RegExp])[] = [
      ['all of them', objects, EXIT.ok, /is whole/],
      ['one in the middle of a file is missing', without(9), EXIT.incomplete, /db\/t1\.ibd\.0+2 is missing/],
      ['the last one of a file is missing', without(13), EXIT.incomplete, /db\/t1\.ibd\.0+6 is missing/],
      [
        'all of a file are missing',
        without(14, 15, 16, 17, 18, 19, 20),
        EXIT.incomplete,
        /db\/t2\.ibd\.0+0 is missing/,
      ],
      [
        'two have changed places',
        objects.map(({ key }, index) => ({ key, bytes: objects[index === 3 ? 24 : index === 24 ? 3 : index]!.bytes })),
        EXIT.damaged,
        /the object db\/t0\.ibd\.0+3 holds a chunk of db\/t3\.ibd/,
      ],
      [
        'an end was copied behind the end of its file',
        [...objects, { key: 'db/t2.ibd.00000000000000000007', bytes: objects[20]!.bytes }],
        EXIT.damaged,
        /the object db\/t2\.ibd\.0+6 holds the end of its file, and others follow/,
      ],
    ];
    for (const [what, found, expected, text] of sampled(cases, 5, 1)) {
      test(what, async (context) => {
        const directory = join(tempDir(context), 'full');
        writeObjects(directory, objects, true);
        fs.rmSync(directory, { recursive: true });
        writeObjects(directory, found);
        const { stdout } = await assertLikeOneRun(context, directory, expected);
        assert.match(stdout, text);
        const { texts } = await checked(context, directory, SOAK ? 2 : 1);
        for (const line of texts.join('').trimEnd().split('\n')) assert.ok(validate(JSON.parse(line)), line);
      });
    }
  });
});

describe('shards that look into files', { concurrency: 2 }, () => {
  const key = ['--encrypt-key-file', fileURLToPath(new URL('../../samples/percona.key', import.meta.url))];
  const sample = fileURLToPath(new URL('../../samples/percona-zstd-aes256.xbstream', import.meta.url));

  test('say what one run says: with the key, without, with a wrong one', async (context) => {
    const wrong = written(context, Buffer.from('x'.repeat(32)), 'key');
    const keys = [
      [key, [], EXIT.ok],
      [[], [], EXIT.undecodable],
      [['--encrypt-key-file', wrong], [], EXIT.undecodable],
      [[], ['--allow-encrypted'], EXIT.ok],
    ] as const;
    for (const [shown, judged, expected] of sampled(keys, 3)) {
      const { results, texts } = await checked(context, sample, SOAK ? 3 : 2, ['--deep', ...shown]);
      const merged = await run(['verify', '--merge', ...judged, ...results]);
      const alone = await run(['verify', '--deep', '--parallel=1', ...shown, ...judged, sample]);
      assert.deepEqual(untimed(merged), untimed(alone));
      assert.equal(merged.code, expected, merged.stdout + merged.stderr);
      for (const line of texts.join('').trimEnd().split('\n')) assert.ok(validate(JSON.parse(line)), line);
    }
  });

  test('find them by an index, at an address, and read each once', async (context) => {
    const content = (index: number): Buffer => qpressFile(noise(900_000, index));
    const bytes = archive(...[1, 2, 3, 4].map((index) => file(`db/t${index}.ibd.qp`, content(index), 250_000)));
    const index = join(tempDir(context), 'index');
    assert.equal((await run(['index', written(context, bytes), '-o', index])).code, EXIT.ok);
    const server = await serve(context, bytes);
    const { results, codes } = await checked(context, `${server.origin}/x`, 2, ['--deep', '--index', index]);
    assert.deepEqual(codes, [EXIT.ok, EXIT.ok]);
    assert.equal((await run(['verify', '--merge', ...results])).code, EXIT.ok);
    assert.ok(server.sentBytes < 2.5 * bytes.length, `${server.sentBytes} of ${bytes.length}`);
    const other = await run(['verify', '--shard=1/2', '--deep', '--index', index, sample]);
    assertEnded(other, EXIT.refused, /index/);
  });

  test('refuse an index of an archive that has become another in its middle', async (context) => {
    const of = (name: string): Buffer => {
      const middle = file(name, Buffer.from('this is not compressed at all'.repeat(1000)), 5000);
      return archive(file('a', noise(90_000), 9000), middle, file('c', noise(90_000, 2), 9000));
    };
    const [index, now] = [join(tempDir(context), 'index'), written(context, of('db/t1ib.zst'))];
    assert.equal((await run(['index', written(context, of('db/t1.ibdzt')), '-o', index])).code, EXIT.ok);
    assert.equal((await run(['verify', '--deep', '--backup=never', now])).code, EXIT.damaged);
    const { codes } = await checked(context, now, 3, ['--deep', '--index', index]);
    assert.ok(codes.includes(EXIT.refused), codes.join());
  });

  test('are refused for an archive that corrects itself, and are all of a kind', async (context) => {
    const path = written(context, archive(file('a', noise(900)), remove('a')));
    assertEnded(await run(['verify', '--shard=1/2', '--deep', path]), EXIT.usage, /it corrects what came before/);
    const sound = written(context, file('a', noise(900)));
    const [deep, plain] = [await checked(context, sound, 2, ['--deep']), await checked(context, sound, 2)];
    const mixed = await run(['verify', '--merge', deep.results[0]!, plain.results[1]!]);
    assertEnded(mixed, EXIT.usage, /with and without --deep, or a key/);
  });
});

describe('shards that cannot be', { concurrency: 2 }, () => {
  test('of what is compressed as a whole, or comes through a pipe', async (context) => {
    const bytes = file('a', noise(9000), 1000);
    const path = written(context, bytes);
    execFileSync('gzip', [path]);
    assertEnded(await run(['verify', '--shard=1/2', `${path}.gz`]), EXIT.usage, /compressed or encrypted as a whole/);
    const stdin = { kind: 'pipe', bytes } as const;
    assertEnded(await run(['verify', '--shard=1/2'], { stdin }), EXIT.usage, /read at any place/);
  });

  test('with options that mean nothing there', async (context) => {
    const path = written(context, file('a', noise(9000), 1000));
    const meaningless = [
      '--tee',
      '--digest=sha256',
      '--allow-empty',
      '--format=junit',
      '--parallel=2',
      '--merge',
      '--index=x',
    ];
    for (const option of sampled(meaningless, 7, 1)) {
      assertEnded(await run(['verify', '--shard=1/2', option, path]), EXIT.usage, /exclude each other/);
    }
    for (const option of sampled(['--deep', '-P'], 2)) {
      assertEnded(await run(['verify', '--merge', option, path]), EXIT.usage, /exclude each other/);
    }
    for (const shard of sampled(['0/2', '3/2', '1', '1/99999'], 4, 1)) {
      assertEnded(await run(['verify', `--shard=${shard}`, path]), EXIT.usage, /from 1\/N to N\/N/);
    }
    assertEnded(await run(['verify', '--archive', path]), EXIT.usage, /only with --merge/);
    assertEnded(await run(['verify', '--merge']), EXIT.usage, /no result/);
    assertEnded(await run(['verify', '--merge', path]), EXIT.usage, /no result of a shard that is whole/);
    assertEnded(await run(['verify', '--merge', join(path, '..')]), EXIT.usage, /no regular file/);
    assertEnded(await run(['verify', '--merge', `${path}.missing`]), EXIT.refused, /no such file/);
  });
});
