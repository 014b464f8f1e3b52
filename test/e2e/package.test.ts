/** The package for npm holds all that is needed, and nothing else. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { before, after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '../helpers/temp.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

interface Manifest {
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  scripts?: unknown;
  man: string[];
}

/** A program that uses the types of all functions. */
const CONSUMER = `
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { cat, extract, info, list, readChunks, readEntries, verify, XbstreamError, type XbstreamErrorCode } from 'tsxbstream';

const archive = process.argv[2]!;
const { ok, digests }: { ok: boolean; digests: Readonly<Record<string, string>> } = await verify(archive, { digests: ['md5'] });
const handle = await open(archive);
const paths: string[] = (await list(handle)).entries.map(({ path }) => path);
await handle.close();
const { files } = await extract(createReadStream(archive), process.argv[3]!, { onFile: ({ bytes }) => bytes.toFixed() });
const tool: string | undefined = (await info(new Response(Buffer.alloc(0)).body!, { keepGoing: true })).tool;
const content: Readable = cat(archive, paths.slice(0, 1), { signal: AbortSignal.timeout(60_000) });
content.destroy();
for await (const { header, payload } of readChunks([Buffer.alloc(0)], { allowEmpty: true })) {
  if (header.type === 'sparse') for await (const { fileOffset } of payload()) fileOffset.toFixed();
}
for await (const entry of readEntries(archive)) if (entry.kind === 'rename') entry.newPath.length;
// @ts-expect-error there is no such option
const code: XbstreamErrorCode = await verify(archive, { deeper: true }).catch((error: unknown) => (error as XbstreamError).code);
console.log(JSON.stringify({ ok, md5: digests['md5']?.length, names: paths.length, files, tool, code }));
`;

describe('the package', () => {
  const cleanups: (() => void)[] = [];
  let folder = '';
  let installed = '';
  before(async () => {
    folder = tempDir({ after: (work) => cleanups.push(work) });
    await run(process.execPath, ['packaging/package.js', '--only', 'npm', '--out', folder], { cwd: PROJECT });
    const tarball = fs.readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    installed = join(folder, 'node_modules/tsxbstream');
    fs.mkdirSync(installed, { recursive: true });
    await run('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components=1']);
    // What npm would fetch; the dependencies of dependencies are found from where these really lie.
    for (const name of [...Object.keys(manifest().dependencies), '@types/node']) {
      const link = join(folder, 'node_modules', name);
      fs.mkdirSync(dirname(link), { recursive: true });
      fs.symlinkSync(join(PROJECT, 'node_modules', name), link);
    }
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  const manifest = (): Manifest => JSON.parse(fs.readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;

  test('holds what is needed, and no more', () => {
    const names = fs.readdirSync(installed, { recursive: true, encoding: 'utf8' });
    for (const name of [
      ...['LICENSE', 'THIRD-PARTY.md', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'docs/json.schema.json'],
      ...['dist/program/index.js', 'dist/index.d.ts'],
    ]) {
      assert.ok(names.includes(name), `${name} is missing`);
    }
    const files = names.filter((name) => fs.statSync(join(installed, name)).isFile());
    const strange = files.filter(
      (name) =>
        !/^(?:bin|dist)\/.*\.(?:js|d\.ts)$|^dist\/man\/[a-z-]+\.1$|^[A-Z-]+(?:\.md)?$|^docs\/(?:[a-z-]+\.(?:md|schema\.json)|terminal\.svg)$|^deploy\/|^package\.json$/.test(
          name,
        ),
    );
    assert.deepEqual(strange, []);
    assert.deepEqual(
      manifest().man.toSorted(),
      files
        .filter((name) => name.endsWith('.1'))
        .map((name) => `./${name}`)
        .toSorted(),
    );
    // npm warns of scripts that it does not know.
    assert.equal(manifest().scripts, undefined);
    const mapped = files.filter((name) =>
      fs.readFileSync(join(installed, name), 'latin1').includes('//# sourceMappingURL'),
    );
    assert.deepEqual(mapped, []);
  });

  test('runs as a command', async () => {
    const program = join(installed, manifest().bin['tsxbstream']!);
    assert.match(fs.readFileSync(program, 'utf8'), /^#!\/usr\/bin\/env node\n/);
    const sample = join(PROJECT, 'samples/percona-zstd-aes256.xbstream');
    const words = [
      'verify',
      '--deep',
      '--decrypt=AES256',
      `--encrypt-key-file=${join(PROJECT, 'samples/percona.key')}`,
    ];
    await run(process.execPath, [program, ...words, sample]);
    assert.match(execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' }), /^tsxbstream \d/);
  });

  test('is imported by a program with strict types', { timeout: 240_000 }, async () => {
    fs.writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    fs.writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
    const compilerOptions = {
      target: 'ES2022',
      module: 'NodeNext',
      types: ['node'],
      // Those of TypeScript itself; ours, and Node's, are looked at.
      skipDefaultLibCheck: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      rootDir: '.',
    };
    fs.writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['consumer.ts'] }));
    const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, '-p', folder]).catch((error: unknown) => {
      assert.fail((error as { stdout: string }).stdout);
    });
    const sample = join(PROJECT, 'samples/percona-plain.xbstream');
    const { stdout } = await run(process.execPath, [join(folder, 'consumer.js'), sample, join(folder, 'target')]);
    assert.deepEqual(JSON.parse(stdout), { ok: true, md5: 32, names: 9, files: 9, code: 'XB_USAGE' });
  });
});
