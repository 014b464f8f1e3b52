/** A tar of files whose names are not UTF-8, beside what a header's octal digits do not hold. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, sparse } from '../helpers/archive-bytes.js';
import { PROGRAM, run } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram } from '../helpers/programs.js';
import { readTar, TAR_PROGRAMS } from '../helpers/tars.js';
import { tempDir } from '../helpers/temp.js';
import { treeOf } from '../helpers/tree.js';

describe('names that are not UTF-8 stay as they are', () => {
  test('beside a time after 2038', async (context) => {
    const names = ['caf\xe9', 'caf\xe8', `${'n'.repeat(150)}\xff`, `${'n'.repeat(150)}\xfe`];
    const files = Object.fromEntries(names.map((name, index) => [name, `content ${index}`]));
    const bytes = archive(...Object.entries(files).map(([name, content]) => file(name, content)));
    const tar = join(tempDir(context), 'out.tar');
    const stdin = { kind: 'pipe', bytes } as const;
    assertEnded(await run(['tar', '-q', '-o', tar, '--mtime=2100-01-01'], { stdin }), EXIT.ok);
    for (const program of TAR_PROGRAMS) {
      if (!hasProgram(context, program.program, program.debianPackage)) continue;
      assert.deepEqual(readTar(context, program, tar).tree, treeOf(files), program.name);
    }
    const times = 'import sys, tarfile\nprint({int(file.mtime) for file in tarfile.open(sys.argv[1])})';
    const { stdout } = spawnSync('python3', ['-c', times, tar], { encoding: 'utf8' });
    assert.equal(stdout.trim(), '{4102444800}');
  });

  test('beside a size over 8 GiB', (context) => {
    const skip = 4_000_000_000;
    for (const name of ['caf\xe9', `${'n'.repeat(150)}\xff`]) {
      const map = [
        [skip, 1],
        [skip, 1],
        [1_999_999_997, 1],
      ] as const;
      const folder = tempDir(context);
      const path = join(folder, 'archive');
      fs.writeFileSync(path, archive(sparse(name, 0, map, 'abc'), end(name)));
      const script = '"$@" | head -c 5000';
      const { stdout } = spawnSync('sh', ['-c', script, 'sh', process.execPath, PROGRAM, 'tar', path]);
      const cut = join(folder, 'cut.tar');
      fs.writeFileSync(cut, stdout);
      const first =
        'import os, sys, tarfile\nfile = tarfile.open(sys.argv[1]).next()\nprint(file.size, os.fsencode(file.name))';
      for (const [program, debianPackage, args] of [
        ['tar', 'tar', ['--quoting-style=escape', '-tvf', cut]],
        ['bsdtar', 'libarchive-tools', ['-tvf', cut]],
        ['python3', 'python3', ['-c', first, cut]],
      ] as const) {
        if (!hasProgram(context, program, debianPackage)) continue;
        const env = { ...process.env, LC_ALL: 'C' };
        const said = spawnSync(program, args, { encoding: 'latin1', env }).stdout;
        const shown = name.replace(
          /[\x80-\xff]/,
          (letter) => `\\\\(?:x${letter.charCodeAt(0).toString(16)}|${letter.charCodeAt(0).toString(8)})`,
        );
        assert.match(said, new RegExp(`\\b10000000000\\b.*${shown}`), program);
      }
    }
  });
});
