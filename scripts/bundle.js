/**
 * Bundles the program, and each of its threads, into dist/program: one file loads in half the time of forty. With `--sourcemap`
 * what runs can be followed back to src.
 */
import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';

const VERB_THREADS = [
  ...['unpack', 'pack', 'make-tar', 'make-index', 'list', 'info', 'cat', 'decode'],
  ...['check-shard', 'merge-shards'],
];

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  outdir: 'dist/program',
  entryNames: '[name]',
  logLevel: 'warning',
  sourcemap: process.argv.includes('--sourcemap') ? 'linked' : false,
  // Installed beside it: native, or loaded only where somebody needs them.
  external: [
    ...['@mongodb-js/zstd', '@node-rs/crc32', 'lz4-napi'],
    ...['chalk', 'cli-progress', 'picomatch', 'tar-stream'],
  ],
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
      return { contents: contents + imports.join('') };
    });
  },
};

await build({
  ...common,
  entryPoints: ['dist/cli/main.js'],
  splitting: true,
  chunkNames: '[name]-[hash]',
  // A bundle of its own, with yargs: what helps old modules in it would be loaded by all others, too.
  external: [...common.external, './parse-verb.js'],
});
await build({
  ...common,
  entryPoints: ['dist/cli/grammar/parse-verb.js'],
  alias: Object.fromEntries(
    ['cliui', 'string-width', 'escalade/sync', 'assert'].map((name) => [name, './scripts/yargs-parts.js']),
  ),
});
await build({
  ...common,
  entryPoints: [
    ...VERB_THREADS.map((name) => `dist/verbs/threads/${name}.js`),
    'dist/output/write-thread.js',
    'dist/codec/zstd/zstd-thread.js',
    'dist/engine/decoding/decode-helper-thread.js',
    'dist/wrapper/unwrap-thread.js',
  ],
  plugins: [importAtOnce],
});
