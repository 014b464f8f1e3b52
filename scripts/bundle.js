/**
 * Bundles the program, each of its threads, and the library into dist/program: one file loads in half the time of forty, and the
 * packages that are bundled need not be installed beside it. With `--sourcemap` what runs can be followed back to src.
 */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { build } from 'esbuild';
import { inFewFiles } from './few-files.js';
import { INSTALLED_PACKAGES, OPTIONAL_PACKAGES, OTHER_THREADS, VERB_THREADS, YARGS_PARTS } from './parts.js';
import { bundlePage } from './report-page.js';

/** There is no `require` in modules: what old ones in the bundles require of Node they get in another way. */
const builtinsForOldModules = {
  name: 'builtins for old modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ path, kind }) =>
      kind === 'require-call' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const BUILTIN_IMPORT = /^import (?:(\{[^}]*\})|\* as (\w+)|(\w+)) from ["'](?:node:)?([a-z_/]+)["'];?$/gm;

/**
 * What a module imports of Node is taken out of the module of Node. For an import statement Node asks that one for all it has, and
 * so loads what else waits until somebody asks for it: of `fs` its promises and streams, of `util` the tools of tests, and so on.
 * In each thread that takes as long as to compile a bundle.
 *
 * @param {string} contents a module
 */
const withoutFacades = (contents) =>
  contents.replace(BUILTIN_IMPORT, (statement, names, all, ofDefault, module) =>
    isBuiltin(module) && module !== 'process' && !(module in YARGS_PARTS)
      ? `const ${names?.replace(/ as /g, ': ') ?? all ?? ofDefault} = process.getBuiltinModule('node:${module}');`
      : statement,
  );

/** @type {import('esbuild').Plugin} */
const builtinsAsTheyAre = {
  name: 'builtins as they are',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.m?js$/ }, async ({ path }) => ({ contents: withoutFacades(await readFile(path, 'utf8')) }));
  },
};

const withMaps = process.argv.includes('--sourcemap');

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  outdir: 'dist/program',
  entryNames: '[name]',
  logLevel: 'warning',
  metafile: true,
  sourcemap: withMaps ? 'linked' : false,
  external: [...INSTALLED_PACKAGES, ...OPTIONAL_PACKAGES],
  plugins: [builtinsForOldModules, builtinsAsTheyAre],
};

/**
 * What a module imports later its thread's bundle holds anyway. Imported at once it needs no closure around it, and around all
 * that it shares with others, which V8 would go through twice: a thread starts 6 ms earlier.
 *
 * @type {import('esbuild').Plugin}
 */
const importAtOnce = {
  name: 'import at once',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[/]dist[/].*\.js$/ }, async ({ path }) => {
      const imports = [];
      const contents = (await readFile(path, 'utf8')).replace(/\bimport\(('[.][^']*')\)/g, (_, module) => {
        const name = `imported${imports.length}`;
        imports.push(`import * as ${name} from ${module};`);
        return name;
      });
      // The last line may be a comment, of a source map.
      return { contents: `${withoutFacades(contents)}\n${imports.join('')}` };
    });
  },
};

/** The bar of progress has a bundle of its own, as yargs has: what helps old modules in it would be loaded by all others, too. */
const barApart = {
  name: 'the bar apart',
  setup({ onResolve }) {
    onResolve({ filter: /^cli-progress$/ }, () => ({ path: './cli-progress.js', external: true }));
  },
};

/** What every run loads: V8 goes through all of its text, so that half of it is 6 % of a short run. Who debugs takes `--sourcemap`. */
const ofProgram = { ...common, minify: !withMaps, legalComments: 'none' };

const program = {
  ...ofProgram,
  entryPoints: ['dist/cli/main.js'],
  splitting: true,
  chunkNames: '[name]-[hash]',
  external: [...common.external, './parse-verb.js'],
  // What is imported for its place alone stays.
  ignoreAnnotations: true,
};

/** Modules of packages of which something is in the bundles. */
const taken = new Set(await bundlePage());

/** @param {import('esbuild').BuildOptions} options */
async function bundle(options) {
  const { metafile } = await build(options);
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [name, { bytesInOutput }] of Object.entries(inputs)) if (bytesInOutput > 0) taken.add(name);
  }
}

const parts = await build({ ...program, write: false, plugins: [...common.plugins, barApart] });
await bundle({
  ...program,
  plugins: [inFewFiles(parts.metafile.outputs, withoutFacades), ...common.plugins, barApart],
});
await bundle({ ...ofProgram, entryPoints: { 'cli-progress': 'cli-progress' } });
await bundle({ ...ofProgram, entryPoints: ['dist/cli/grammar/parse-verb.js'], alias: YARGS_PARTS });
await bundle({
  ...ofProgram,
  entryPoints: [...VERB_THREADS, ...OTHER_THREADS],
  plugins: [importAtOnce, ...common.plugins],
});
// Apart from the program, which would fall into more files otherwise.
await bundle({
  ...common,
  entryPoints: { library: 'dist/index.js' },
  splitting: true,
  chunkNames: 'library-[name]-[hash]',
});
// What an import stands first for: modules are run in the order in which they are imported.
writeFileSync('dist/program/index.js', "import '../require-node.js';\nexport * from './library.js';\n");
// The innermost package; what follows it are folders of its own.
const packages = Array.from(taken, (name) => /^(?:.*[/])?node_modules[/](?:@[^/]+[/])?[^/]+/.exec(name)?.[0]);
const folders = [...new Set(packages)].filter((folder) => folder !== undefined);
writeFileSync('dist/bundled-packages.json', JSON.stringify(folders.sort()));
