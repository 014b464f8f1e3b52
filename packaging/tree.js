/** What is installed beside the executable, and where: one tree for all packages. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { runtimeFolder } from './executable.js';
import { readJson } from './registry.js';

/** Of a package for a system, whose own folder of zsh is another. */
export const ZSH_FOLDERS = { debian: 'zsh/vendor-completions', others: 'zsh/site-functions' };

/**
 * Lays the tree: `bin/`, `share/`.
 *
 * @param {string} prefix the folder that will be `/usr` or `/usr/local`
 * @param {{ executable: string, packages: string[], runnable: string, arch: string, zshFolder: string, compress: boolean }} options
 *   `packages` are the folders of those that are in it; `runnable` is an executable for this machine; `compress` packs manual
 *   pages as systems want them
 */
export function layTree(prefix, { executable, packages, runnable, arch, zshFolder, compress }) {
  const put = (path, content) => {
    const target = join(prefix, path);
    fs.mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    fs.writeFileSync(target, content, { mode: 0o644 });
  };
  put('bin/tsxbstream', '');
  fs.copyFileSync(executable, join(prefix, 'bin/tsxbstream'));
  fs.chmodSync(join(prefix, 'bin/tsxbstream'), 0o755);
  for (const name of fs.readdirSync('dist/man')) {
    const page = fs.readFileSync(join('dist/man', name));
    put(`share/man/man1/${name}${compress ? '.gz' : ''}`, compress ? packed(page) : page);
  }
  const completion = (shell) => execFileSync(runnable, ['completion', shell]);
  put('share/bash-completion/completions/tsxbstream', completion('bash'));
  put(`share/${zshFolder}/_tsxbstream`, completion('zsh'));
  put('share/fish/vendor_completions.d/tsxbstream.fish', completion('fish'));
  const documents = 'share/doc/tsxbstream';
  put(`${documents}/copyright`, copyright(arch, packages));
  for (const name of ['README.md', 'SECURITY.md', 'CHANGELOG.md']) put(`${documents}/${name}`, fs.readFileSync(name));
  for (const name of fs.readdirSync('docs').filter((each) => /\.(?:md|schema\.json|svg)$/.test(each))) {
    put(`${documents}/docs/${name}`, fs.readFileSync(join('docs', name)));
  }
}

/** With neither name nor time in it: the same page gives the same bytes. @param {number} level as Debian wants it, or a faster one */
export function packed(content, level = 9) {
  return execFileSync('gzip', [`-${level}n`], { input: content, maxBuffer: 1 << 30 });
}

/** The licences of all that is in the executable. */
function copyright(arch, packages) {
  const text = (path) => fs.readFileSync(path, 'utf8').trim();
  const parts = [
    ['tsxbstream', 'LICENSE'],
    ['Parts by others that are bundled', 'THIRD-PARTY.md'],
    ['@node-rs/crc32', 'node_modules/@node-rs/crc32/LICENSE'],
    ['lz4-napi', 'node_modules/lz4-napi/LICENSE'],
    ...licencesOf(packages),
    ['Node.js, which is in the executable, and what is in Node.js', join(runtimeFolder(arch), 'LICENSE')],
  ];
  // Many have the same text.
  const titles = new Map();
  for (const [title, path] of parts) titles.set(text(path), [...(titles.get(text(path)) ?? []), title]);
  return Array.from(titles, ([licence, names]) => `${names.join('\n')}\n${'='.repeat(40)}\n\n${licence}\n`).join(
    '\n\n',
  );
}

/** @param {string[]} folders of packages @returns {[title: string, path: string][]} */
function licencesOf(folders) {
  const found = folders.map((folder) => {
    const { name, version, license } = readJson(join(folder, 'package.json'));
    const file = fs.readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    return { title: `${name} ${version}`, license, path: file && join(folder, file) };
  });
  return found.map(({ title, license, path }) => {
    // Some come without the text, and others of the same project have it.
    const text = path ?? found.find((other) => other.license === license && other.path !== undefined)?.path;
    if (text === undefined) throw new Error(`${title} has no licence text`);
    return [title, text];
  });
}
