/**
 * Bundles the program, and each of its threads, into dist/program: one file loads in half the time of forty. With `--sourcemap`
 * what runs can be followed back to src.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const VERB_THREADS = ['unpack', 'pipeline', 'pack', 'make-tar', 'list', 'info', 'report', 'cat'];

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

await bundlePage();
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

/** What runs in a report, and how it looks: both stand in the page, so they are text to the module that makes it. */
async function bundlePage() {
  const [script, style] = await Promise.all(
    ['main.ts', 'report.css'].map((name) =>
      build({
        entryPoints: [`src/report/page/${name}`],
        ...{ bundle: true, write: false, metafile: true, minify: true },
        ...{ format: 'iife', target: 'es2022', logLevel: 'warning', charset: 'utf8' },
      }),
    ),
  );
  const parts = Object.keys(script.metafile.inputs).filter((name) => name.startsWith('node_modules/'));
  // Each page is a copy of them, and has their licence.
  const folders = new Set(parts.map((name) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(name)[0]));
  const licences = Array.from(
    folders,
    (folder) => `/*! ${folder.slice(13)}\n${readFileSync(`${folder}/LICENSE`, 'utf8')}*/\n`,
  );
  const text = (name, { outputFiles }, before = '') =>
    `export const ${name} = ${JSON.stringify(before + outputFiles[0].text)};\n`;
  writeFileSync(
    'dist/report/page-assets.js',
    parts.map((name) => `// ${name}\n`).join('') + text('SCRIPT', script, licences.join('')) + text('STYLE', style),
  );
}
