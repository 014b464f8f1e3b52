/**
 * Changes the built program at places taken by chance, each in all the ways that Stryker knows, and looks whether a test notices:
 * `npm run mutants -- --places 10 --seed 7 codec/lz4 archive`. What survives is printed, and shows that nothing holds what stands
 * there, or that it makes no difference. Stryker is fetched when it is wanted: nothing else needs it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const STRYKER = '@stryker-mutator/core@9.6.1';
/** Lines at a place. */
const PLACE_LINES = 8;
/** Data, or words that are no code. */
const NOT_LOOKED_AT = /(-wasm|letter-pairs)\.js$/;
/** Wording is held by tests where it matters; most of it could be other words. */
const WORDS = ['StringLiteral', 'ArrayDeclaration'];
/** Those that see most come first: the first that fails ends the run. */
const TESTS = [
  (folder) => `test/${folder}/*.test.ts`,
  () => 'test/{archive,engine}/*.test.ts',
  () => 'test/e2e/{fixtures,list,verify,keep-going,wrapped,segments}.test.ts',
];

const { values, positionals } = parseArgs({
  options: { places: { type: 'string', default: '10' }, seed: { type: 'string', default: String(Date.now() % 1e6) } },
  allowPositionals: true,
});
const folders = positionals.length > 0 ? positionals : ['format', 'archive', 'codec'];

/** Numbers by chance, the same for the same seed (a linear congruential generator). */
let state = Number(values.seed) >>> 0;
function below(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
const lines = folders
  .flatMap((folder) => readdirSync(join('dist', folder), { recursive: true }).map((name) => join('dist', folder, name)))
  .filter((file) => file.endsWith('.js') && !NOT_LOOKED_AT.test(file))
  .sort()
  .flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((_, index) => ({ file, line: index + 1 })),
  );
const places = Array.from({ length: Number(values.places) }, () => lines[below(lines.length)]);
const work = mkdtempSync(join(tmpdir(), 'mutants-'));
console.log(`seed ${values.seed}`);
try {
  for (const folder of new Set(places.map(({ file }) => file.split('/')[1]))) {
    const here = places.filter(({ file }) => file.startsWith(`dist/${folder}/`));
    const node = 'TSXBSTREAM_THINNER=10 CI=true node --import ./test/helpers/typescript.js --test';
    const command = TESTS.map((files) => `${node} ${files(folder)}`).join(' && ');
    const settings = {
      mutate: here.map(({ file, line }) => `${file}:${line}-${line + PLACE_LINES - 1}`),
      mutator: { excludedMutations: WORDS },
      testRunner: 'command',
      commandRunner: { command: `bash -c '${command}'` },
      buildCommand: 'node scripts/bundle.js',
      reporters: ['clear-text'],
      clearTextReporter: { reportTests: false, allowColor: false },
      concurrency: 1,
      timeoutMS: 120_000,
      // There is nothing to be rewritten in it.
      tsconfigFile: 'none',
      ignorePatterns: ['/docs/api', '/bench', '/coverage', '/packages'],
      logLevel: 'warn',
    };
    const config = join(work, `${folder}.json`);
    writeFileSync(config, JSON.stringify(settings));
    console.log(`\n${settings.mutate.join('\n')}`);
    const { status } = spawnSync('npx', ['--yes', '-p', STRYKER, 'stryker', 'run', config], { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(work, { recursive: true });
}
