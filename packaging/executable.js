/**
 * Makes the executable: Node, and in it (as a "single executable application") the program with all of its threads in one
 * script, what V8 has compiled of that beforehand, and the native packages.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import postject from 'postject';
import { OTHER_THREADS, VERB_THREADS, YARGS_PARTS } from '../scripts/parts.js';
import { folderOf, readJson } from './registry.js';

const PARTS = 'packaging/executable';
/** What Node looks for in itself. */
const SENTINEL = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Modules that find files, by the ends of their paths, and what stands in their place in the executable. */
const EXCHANGED = {
  'dist/threads/new-thread.js': 'new-thread.js',
  'dist/installed-package.js': 'installed-package.js',
};

/** By the names that they have in the executable. */
const NATIVE_PACKAGES = {
  'crc32.node': (arch) => ({ name: `@node-rs/crc32-linux-${arch}-gnu`, file: `crc32.linux-${arch}-gnu.node` }),
  'lz4.node': (arch) => ({ name: `@antoniomuso/lz4-napi-linux-${arch}-gnu`, file: `lz4-napi.linux-${arch}-gnu.node` }),
};

/** @param {string} arch `x64` or `arm64` @returns {string} the folder of Node's package: `bin/node`, `LICENSE` */
export function runtimeFolder(arch) {
  const { version, integrity } = readJson('packaging/runtime.json');
  return folderOf(`node-linux-${arch}`, version, integrity[arch]);
}

/**
 * @param {string} path where the executable goes
 * @param {string} arch for which processors
 * @param {string} version of the program
 * @returns {Promise<string[]>} the folders of the packages that are in it
 */
export async function makeExecutable(path, arch, version) {
  const work = fs.mkdtempSync(join(tmpdir(), 'tsxbstream-executable-'));
  try {
    const { blob, packages } = await makeBlob(work, arch, version);
    fs.copyFileSync(join(runtimeFolder(arch), 'bin/node'), path);
    execFileSync(arch === process.arch ? 'strip' : `${GNU_NAMES[arch]}-strip`, [path]);
    await inject(path, blob);
    fs.chmodSync(path, 0o755);
    if (arch === process.arch) checkVersion(path, version);
    return packages;
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}

/** That it starts at all: one that did nothing would exit with 0. */
function checkVersion(path, version) {
  const said = execFileSync(resolve(path), ['--version'], { encoding: 'utf8' });
  if (said !== `tsxbstream ${version}\n`) throw new Error(`the executable does not say which version it is: ${said}`);
}

async function inject(path, blob) {
  const { warn } = console;
  // It warns of what Node's own sections have no names for; what fails is thrown.
  console.warn = () => undefined;
  try {
    await postject.inject(path, 'NODE_SEA_BLOB', blob, { sentinelFuse: SENTINEL });
  } finally {
    console.warn = warn;
  }
}

const GNU_NAMES = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** What is put into Node. @returns {Promise<{ blob: Buffer, packages: string[] }>} */
async function makeBlob(work, arch, version) {
  const load = fs.readFileSync(join(PARTS, 'load.js'), 'utf8');
  const packages = await bundleProgram(join(work, 'program.js'), load, version);
  fs.writeFileSync(join(work, 'main.js'), `${load}load('main');\n`);
  // By a Node of the very version that goes into the executable; what V8 compiles only one for the same processors can read.
  const node = (...words) =>
    execFileSync(resolve(runtimeFolder(process.arch), 'bin/node'), words, {
      cwd: work,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  if (arch === process.arch) node('--hash-seed=1', resolve(PARTS, 'compile.js'), 'program.js', 'program.cache');
  else fs.writeFileSync(join(work, 'program.cache'), '');
  // Names without folders: they are in the blob, too.
  const files = { 'program.js': 'program.js', 'program.cache': 'program.cache' };
  for (const [name, file] of nativeFiles(arch)) {
    fs.copyFileSync(file, join(work, name));
    files[name] = name;
  }
  const configuration = { main: 'main.js', output: 'blob', disableExperimentalSEAWarning: true, assets: files };
  fs.writeFileSync(join(work, 'sea.json'), JSON.stringify(configuration));
  node('--experimental-sea-config', 'sea.json');
  return { blob: fs.readFileSync(join(work, 'blob')), packages };
}

/**
 * The program and its threads in one script, a function of `require` and of the part that is to run.
 *
 * @returns {Promise<string[]>} the folders of the packages that are in it
 */
async function bundleProgram(path, load, version) {
  const threads = [...VERB_THREADS, ...OTHER_THREADS].map((module) => {
    const name = module.slice(module.lastIndexOf('/') + 1);
    return `${JSON.stringify(name)}: () => import(${JSON.stringify(`./${module}`)}),`;
  });
  const { metafile } = await build({
    entryPoints: [join(PARTS, 'program.js')],
    metafile: true,
    outfile: path,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
    banner: { js: '(function (require, part) {' },
    footer: { js: '})' },
    define: {
      LOAD: JSON.stringify(load),
      // Nothing is found by it; names of threads are told by it.
      'import.meta.url': '"file:///tsxbstream/program.js"',
    },
    plugins: [
      exchanging({
        'generated:threads': `export const THREADS = {\n${threads.join('\n')}\n};`,
        'dist/cli/package-version.js': `export const version = () => ${JSON.stringify(version)};`,
      }),
    ],
  });
  const folders = Object.keys(metafile.inputs).flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [],
  );
  return [...new Set(folders)].sort();
}

/** Puts modules in the places of others. @param {Record<string, string>} generated their texts, by the ends of paths */
function exchanging(generated) {
  return {
    name: 'exchanging',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[^.]/ }, ({ path, importer }) =>
        path in YARGS_PARTS && importer.includes('/node_modules/yargs/')
          ? { path: resolve(YARGS_PARTS[path]) }
          : undefined,
      );
      onResolve({ filter: /^generated:/ }, ({ path }) => ({ path, namespace: 'generated' }));
      onLoad({ filter: /.*/, namespace: 'generated' }, ({ path }) => ({ contents: generated[path], resolveDir: '.' }));
      onLoad({ filter: /[/]dist[/].*\.js$/ }, ({ path }) => {
        const found = (texts) => Object.keys(texts).find((end) => path.endsWith(`/${end}`));
        const text = found(generated);
        if (text !== undefined) return { contents: generated[text] };
        const file = found(EXCHANGED);
        if (file === undefined) return undefined;
        return { contents: fs.readFileSync(join(PARTS, EXCHANGED[file]), 'utf8'), resolveDir: PARTS };
      });
    },
  };
}

/** Names in the executable, and the files. */
function nativeFiles(arch) {
  const { packages } = readJson('package-lock.json');
  return Object.entries(NATIVE_PACKAGES).map(([asset, of]) => {
    const { name, file } = of(arch);
    const { version, integrity } = packages[`node_modules/${name}`];
    return [asset, join(folderOf(name, version, integrity), file)];
  });
}
