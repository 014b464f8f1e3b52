/** A tarball that is unpacked into any prefix: /usr/local, /opt/tsxbstream, a home. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { layTree, packed, ZSH_FOLDERS } from './tree.js';

/** @param {import('./package.js').Job} job @returns {string} its path */
export function makeTarball({ work, out, version, arch, time, ...job }) {
  const name = `tsxbstream-${version}-linux-${arch}`;
  layTree(join(work, name), { ...job, arch, zshFolder: ZSH_FOLDERS.others, compress: false });
  const path = join(out, `${name}.tar.gz`);
  fs.writeFileSync(path, packed(tarOf(work, name, time), 6));
  return path;
}

/**
 * A tar in which nothing depends on who made it, where and when.
 *
 * @param {string} folder in which `name` lies
 * @param {string} name of the folder that is packed
 * @param {number} time of all files, in seconds
 */
export function tarOf(folder, name, time) {
  const words = [
    '--format=ustar',
    '--sort=name',
    `--mtime=@${time}`,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u=rwX,go=rX',
  ];
  return execFileSync('tar', [...words, '-C', folder, '-cf', '-', name], { maxBuffer: 1 << 30 });
}
