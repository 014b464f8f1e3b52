/** `| head -1`: who reads no more ends the program, and nothing is said of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file } from '../helpers/archive-bytes.js';
import { PROGRAM } from '../helpers/cli.js';
import { sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

/** More than a pipe takes in. */
const MANY = archive(
  ...Array.from({ length: 5000 }, (_, index) => file(`some/directory/of/it/file${index}`, 'content')),
);
const LONG = file('long', Buffer.alloc(8 << 20, 'line\n'));

describe('stdout is closed', { concurrency: 2 }, () => {
  const commands: Record<string, { words: readonly string[]; bytes: Buffer; name?: string }> = {
    list: { words: ['list'], bytes: MANY },
    'list --json': { words: ['list', '--json'], bytes: MANY },
    'verify --json': { words: ['verify', '--json'], bytes: archive(MANY, LONG) },
    info: { words: ['info'], bytes: archive(MANY, LONG) },
    'cat of a long file': { words: ['cat'], bytes: LONG, name: 'long' },
    'a tar of many files': { words: ['tar'], bytes: archive(file('first', 'line\n'), MANY) },
  };
  for (const [turn, [name, { words, bytes, name: wanted }]] of Object.entries(commands).entries()) {
    for (const input of sampled(['file', 'pipe'], 2, turn % 2)) {
      test(`${name}, from a ${input}`, (context) => {
        const path = join(tempDir(context), 'archive');
        fs.writeFileSync(path, bytes);
        const feed = input === 'pipe' ? `cat ${path} |` : '';
        const operands = [input === 'pipe' ? '-' : path, ...(wanted === undefined ? [] : [wanted])];
        const { stdout, stderr } = spawnSync(
          'bash',
          ['-c', `${feed} "$0" "$@" | head -1`, process.execPath, PROGRAM, ...words, ...operands],
          { encoding: 'utf8', timeout: 60_000 },
        );
        assert.deepEqual([stderr, stdout.trimEnd().split('\n').length], ['', 1]);
      });
    }
  }
});
