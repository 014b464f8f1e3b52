/** What is installed beside the executable, and where: one tree for all packages. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { runtimeFolder } from './executable.js';

/** Of a package for a system, whose own folder of zsh is another. */
export const ZSH_FOLDERS = { debian: 'zsh/vendor-completions', others: 'zsh/site-functions' };

/**
 * Lays the tree: `bin/`, `share/`.
 *
 * @param {string} prefix the folder that will be `/usr` or `/usr/local`
 * @param {{ executable: string, runnable: string, arch: string, zshFolder: string, compress: boolean }} options `runnable` is
 *   an executable for this machine; `compress` packs manual pages as systems want them
 */
export function layTree(prefix, { executable, runnable, arch, zshFolder, compress }) {
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
  put(`${documents}/copyright`, copyright(arch));
  for (const name of ['README.md', 'SECURITY.md', 'CHANGELOG.md']) put(`${documents}/${name}`, fs.readFileSync(name));
  for (const name of fs.readdirSync('docs').filter((each) => /\.(?:md|schema\.json)$/.test(each))) {
    put(`${documents}/docs/${name}`, fs.readFileSync(join('docs', name)));
  }
}

/** With neither name nor time in it: the same page gives the same bytes. */
export function packed(content) {
  return execFileSync('gzip', ['-6n'], { input: content, maxBuffer: 1 << 30 });
}

/** The licences of all that is in the executable. */
function copyright(arch) {
  const text = (path) => fs.readFileSync(path, 'utf8').trim();
  const parts = [
    ['tsxbstream', 'LICENSE'],
    ['Parts by others that are bundled', 'THIRD-PARTY.md'],
    ['picomatch', 'node_modules/picomatch/LICENSE'],
    ['@node-rs/crc32', 'node_modules/@node-rs/crc32/LICENSE'],
    ['lz4-napi', 'node_modules/lz4-napi/LICENSE'],
    ['Node.js, which is in the executable, and what is in Node.js', join(runtimeFolder(arch), 'LICENSE')],
  ];
  return parts.map(([title, path]) => `${title}\n${'='.repeat(title.length)}\n\n${text(path)}\n`).join('\n\n');
}
