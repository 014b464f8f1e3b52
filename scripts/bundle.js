/**
 * Bundles the program, each of its threads, and the library into dist/program: one file loads in half the time of forty, and the
 * packages that are bundled need not be installed beside it. With `--sourcemap` what runs can be followed back to src.
 */
import { writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { build } from 'esbuild';
import { INSTALLED_PACKAGES, OTHER_THREADS, VERB_THREADS } from './parts.js';

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

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  outdir: 'dist/program',
  entryNames: '[name]',
  logLevel: 'warning',
  sourcemap: process.argv.includes('--sourcemap') ? 'linked' : false,
  external: INSTALLED_PACKAGES,
  plugins: [builtinsForOldModules],
};

await build({
  ...common,
  entryPoints: ['dist/cli/main.js'],
  splitting: true,
  chunkNames: '[name]-[hash]',
  // A bundle of its own, with yargs: what helps old modules in it would be loaded by all others, too.
  external: [...common.external, './parse-verb.js'],
});
await build({ ...common, entryPoints: ['dist/cli/grammar/parse-verb.js', ...VERB_THREADS, ...OTHER_THREADS] });
// Apart from the program, which would fall into more files otherwise.
await build({
  ...common,
  entryPoints: { library: 'dist/index.js' },
  splitting: true,
  chunkNames: 'library-[name]-[hash]',
});
// What an import stands first for: modules are run in the order in which they are imported.
writeFileSync('dist/program/index.js', "import '../require-node.js';\nexport * from './library.js';\n");
