/**
 * Stands in for Percona's xtrabackup where pages call it, since no Debian has that: a real backup of the server, by
 * mariadb-backup, given out as those options say. Options that it does not know are an error.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROGRAM } from './cli.js';
import { xbcryptFile } from './layer-writers.js';

const { values } = parseArgs({
  options: {
    backup: { type: 'boolean' },
    compress: { type: 'boolean' },
    encrypt: { type: 'string' },
    'encrypt-key-file': { type: 'string' },
    stream: { type: 'string' },
    'fifo-streams': { type: 'string' },
    'fifo-dir': { type: 'string' },
  },
  // `--stream` needs no value.
  args: process.argv.slice(2).map((word) => (word === '--stream' ? '--stream=xbstream' : word)),
});
if (values.backup !== true || values.stream !== 'xbstream') throw new Error('only --backup --stream is known');
if (values.encrypt !== undefined && values.encrypt !== 'AES256') throw new Error('only AES256 is known');

/** Names of files, as a whole directory of them is stored. */
function filesIn(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(join(directory, name)).isFile());
}

const work = fs.mkdtempSync(join(tmpdir(), 'xtrabackup-'));
try {
  const directory = join(work, 'files');
  execFileSync('mariadb-backup', ['--backup', `--target-dir=${directory}`], { stdio: ['ignore', 'ignore', 'ignore'] });
  if (values.compress === true) {
    for (const name of filesIn(directory)) execFileSync('zstd', ['-q', '--rm', join(directory, name)]);
  }
  if (values.encrypt !== undefined) {
    const bytes = fs.readFileSync(values['encrypt-key-file']!);
    for (const name of filesIn(directory)) {
      const path = join(directory, name);
      fs.writeFileSync(`${path}.xbcrypt`, xbcryptFile(fs.readFileSync(path), { cipher: 'AES256', bytes }));
      fs.unlinkSync(path);
    }
  }
  const names = filesIn(directory);
  const archiveOf = (files: readonly string[]): Buffer =>
    execFileSync(process.execPath, [PROGRAM, 'create', '-q', '-C', directory, ...files], { maxBuffer: 2 ** 30 });
  const count = Number(values['fifo-streams'] ?? 0);
  if (count === 0) fs.writeFileSync(1, archiveOf(names));
  else {
    const pipes = Array.from({ length: count }, (_, number) => join(values['fifo-dir']!, `thread_${number}`));
    execFileSync('mkfifo', pipes);
    await Promise.all(
      pipes.map((pipe, number) =>
        fs.promises.writeFile(pipe, archiveOf(names.filter((_, at) => at % count === number))),
      ),
    );
  }
} finally {
  fs.rmSync(work, { recursive: true });
}
