/** Fetches packages of the npm registry, whose checksums are known beforehand. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';

/** What was fetched stays here: Node alone is 40 MB. */
const CACHE = 'node_modules/.cache/tsxbstream-packaging';

/**
 * @param {string} name of the package
 * @param {string} version
 * @param {string} integrity its checksum, as package-lock.json has it
 * @returns {string} the path of its tarball
 */
export function tarballOf(name, version, integrity) {
  const path = join(CACHE, `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`);
  if (fs.existsSync(path)) return path;
  const temporary = newFolder();
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', temporary, `${name}@${version}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [file] = fs.readdirSync(temporary);
    checkIntegrity(join(temporary, file), integrity);
    fs.renameSync(join(temporary, file), path);
  } finally {
    fs.rmSync(temporary, { recursive: true });
  }
  return path;
}

/** The same, unpacked. @returns {string} the folder */
export function folderOf(name, version, integrity) {
  const tarball = tarballOf(name, version, integrity);
  const folder = tarball.replace(/\.tgz$/, '');
  if (fs.existsSync(folder)) return folder;
  const temporary = newFolder();
  execFileSync('tar', ['-xzf', tarball, '-C', temporary, '--strip-components=1']);
  fs.renameSync(temporary, folder);
  return folder;
}

function newFolder() {
  fs.mkdirSync(CACHE, { recursive: true });
  return fs.mkdtempSync(join(CACHE, 'new-'));
}

function checkIntegrity(path, integrity) {
  const [algorithm] = integrity.split('-');
  const found = `${algorithm}-${createHash(algorithm).update(fs.readFileSync(path)).digest('base64')}`;
  if (found !== integrity) throw new Error(`${path} is not what it should be: expected ${integrity}, found ${found}`);
}

/** @param {string} path @returns {any} */
export function readJson(path) {
  return JSON.parse(fs.readFileSync(path, 'utf8'));
}
