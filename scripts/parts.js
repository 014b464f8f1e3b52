/** What the bundles are made of; `dist/` must be compiled. */
import { readdirSync, readFileSync } from 'node:fs';

/** The threads of verbs, each a module that is started by its name; one module among them starts them. */
export const VERB_THREADS = readdirSync('dist/verbs/threads')
  .filter((name) => name.endsWith('.js') && name !== 'start.js')
  .map((name) => `dist/verbs/threads/${name}`);
/** And those that help others. */
export const OTHER_THREADS = [
  'dist/output/writing/write-thread.js',
  'dist/codec/zstd/zstd-thread.js',
  'dist/engine/decoding/decode-helper-thread.js',
  'dist/wrapper/unwrap-thread.js',
  'dist/input/address/fetch-thread.js',
];
/**
 * Packages that are installed beside the program: native, or loaded only where somebody needs them. All others, which package.json
 * has under `devDependencies`, are bundled, and so need not be installed with all that they depend on.
 */
export const INSTALLED_PACKAGES = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).dependencies);
/** And those that somebody may have installed. */
export const OPTIONAL_PACKAGES = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).peerDependencies);

/** What yargs loads and never uses here, and what stands in its place. */
export const YARGS_PARTS = Object.fromEntries(
  ['cliui', 'string-width', 'escalade/sync', 'assert'].map((name) => [name, './scripts/yargs-parts.js']),
);
