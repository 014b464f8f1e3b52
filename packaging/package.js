/**
 * Makes what people install: npm run package -- [--arch x64|arm64] [--only npm,npm-offline,executable,tar,deb,rpm] [--out FOLDER]
 *
 * Everything goes into packages/, with SHA256SUMS. What is made of one commit twice is the same, byte for byte.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeDebianPackage } from './debian.js';
import { makeExecutable } from './executable.js';
import { makeNpmPackage, makeOfflineSets } from './npm.js';
import { readJson } from './registry.js';
import { makeRpmPackage } from './rpm.js';
import { makeTarball } from './tarball.js';

/**
 * @typedef {object} Job
 * @property {string} work a folder of its own
 * @property {string} out where the package goes
 * @property {string} version of the program
 * @property {string} arch of the processors
 * @property {string} executable for them
 * @property {string} runnable one for this machine
 * @property {number} time of the commit, in seconds: that of all files
 */

/** What is made of an executable, by the names of the command line. */
const MAKERS = { tar: makeTarball, deb: makeDebianPackage, rpm: makeRpmPackage };
const KINDS = ['npm', 'npm-offline', 'executable', ...Object.keys(MAKERS)];

process.chdir(new URL('..', import.meta.url).pathname);
const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    only: { type: 'string', default: KINDS.join() },
    out: { type: 'string', default: 'packages' },
  },
});
const { arch, out } = values;
const kinds = values.only.split(',');
for (const kind of kinds) if (!KINDS.includes(kind)) throw new Error(`--only ${kind}: there are ${KINDS.join(', ')}`);
if (!['x64', 'arm64'].includes(arch)) throw new Error(`--arch ${arch}: there are x64 and arm64`);

const { version } = readJson('package.json');
const time = Number(
  process.env['SOURCE_DATE_EPOCH'] ?? execFileSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8' }),
);
fs.mkdirSync(out, { recursive: true });
const made = [];
const work = fs.mkdtempSync(join(tmpdir(), 'tsxbstream-packages-'));
try {
  if (kinds.some((kind) => kind.startsWith('npm'))) {
    const npmPackage = makeNpmPackage(work, out);
    made.push(npmPackage);
    if (kinds.includes('npm-offline')) made.push(...makeOfflineSets({ work, out, version, arch, time }, npmPackage));
  }
  if (kinds.some((kind) => !kind.startsWith('npm'))) await makeExecutables();
} finally {
  fs.rmSync(work, { recursive: true });
}
writeSums();
for (const path of made) console.log(`${path}  ${(fs.statSync(path).size / 1e6).toFixed(1)} MB`);

async function makeExecutables() {
  const name = `tsxbstream-${version}-linux-${arch}`;
  const executable = join(work, `executable-${arch}`);
  const packages = await makeExecutable(executable, arch, version);
  if (kinds.includes('executable')) {
    // Not made there: what is not whole would be a bare Node by that name, with a checksum from the next call on.
    fs.copyFileSync(executable, join(out, name));
    made.push(join(out, name));
  }
  const runnable = arch === process.arch ? executable : 'bin/tsxbstream.js';
  for (const kind of kinds.filter((each) => each in MAKERS)) {
    made.push(MAKERS[kind]({ work, out, version, arch, executable, packages, runnable, time }));
  }
}

/** Of all that lies there, also from earlier calls for other architectures. */
function writeSums() {
  const lines = fs
    .readdirSync(out)
    .filter((name) => name !== 'SHA256SUMS')
    .sort()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(fs.readFileSync(join(out, name)))
          .digest('hex')}  ${basename(name)}\n`,
    );
  fs.writeFileSync(join(out, 'SHA256SUMS'), lines.join(''));
}
