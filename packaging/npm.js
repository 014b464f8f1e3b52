/** The package for npm, and beside it all that it needs where there is no registry. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readJson, tarballOf } from './registry.js';
import { tarOf } from './tarball.js';

/**
 * What `npm pack` makes of the project, but without what is for its development: npm warns of a package whose scripts it
 * does not know, even of those that it would never run.
 *
 * @param {string} work
 * @param {string} out where it goes
 * @returns {string} its path
 */
export function makeNpmPackage(work, out) {
  const folder = join(work, 'npm');
  fs.mkdirSync(folder);
  execFileSync('tar', ['-xzf', pack('.', work), '-C', folder, '--strip-components=1']);
  const manifest = readJson(join(folder, 'package.json'));
  delete manifest.scripts;
  delete manifest.devDependencies;
  fs.writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return pack(folder, out);
}

function pack(folder, out) {
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', out, resolve(folder)];
  const told = execFileSync('npm', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return join(out, JSON.parse(told)[0].filename);
}

/**
 * One set for glibc and one for musl: npm refuses all of a folder in which there is a package for the other.
 *
 * @param {Pick<import('./package.js').Job, 'work' | 'out' | 'version' | 'arch' | 'time'>} job
 * @param {string} npmPackage
 * @returns {string[]} the paths of tars of tarballs
 */
export function makeOfflineSets({ work, out, version, arch, time }, npmPackage) {
  const name = `tsxbstream-${version}-npm`;
  return Object.entries({ glibc: '', musl: '-musl' }).map(([library, suffix]) => {
    const parent = join(work, library);
    fs.mkdirSync(join(parent, name), { recursive: true });
    for (const path of [npmPackage, ...neededTarballs(arch, library)])
      fs.copyFileSync(path, join(parent, name, basename(path)));
    const path = join(out, `${name}-linux-${arch}${suffix}.tar`);
    fs.writeFileSync(path, tarOf(parent, name, time));
    return path;
  });
}

function neededTarballs(arch, library) {
  return Object.entries(readJson('package-lock.json').packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
    .filter(([path, { os = ['linux'], cpu = [arch], libc = path.endsWith('-gnu') ? ['glibc'] : [library] }]) => {
      return os.includes('linux') && cpu.includes(arch) && libc.includes(library);
    })
    .map(([path, { version, integrity }]) => tarballOf(path.replace(/^.*node_modules\//, ''), version, integrity));
}
