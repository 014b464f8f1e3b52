/**
 * Bundles the program, and each of its threads, into dist/program: one file loads in half the time of forty. With `--sourcemap`
 * what runs can be followed back to src.
 */
import { build } from 'esbuild';

const VERB_THREADS = [
  ...['unpack', 'pipeline', 'pack', 'make-tar', 'list', 'info', 'cat'],
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
  entryPoints: [
    'dist/cli/grammar/parse-verb.js',
    ...VERB_THREADS.map((name) => `dist/verbs/threads/${name}.js`),
    'dist/output/write-thread.js',
    'dist/codec/zstd/zstd-thread.js',
    'dist/engine/decoding/decode-helper-thread.js',
    'dist/wrapper/unwrap-thread.js',
  ],
});
