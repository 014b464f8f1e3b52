/** An option that would do nothing is refused, and said so in the form that was asked for. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { EXIT } from '../helpers/outcome.js';
import { tempDir } from '../helpers/temp.js';

const BYTES = archive(file('a', 'A'));

describe('options that would do nothing', { concurrency: true }, () => {
  for (const [words, said] of [
    ['extract --dry-run --manifest m a.xb', /--dry-run and --manifest exclude each other/],
    ['create --from-tar=a.tar -0 -o b.xb', /there is no list/],
    ['create --overwrite a.xb', /none is named/],
    ['tar --overwrite a.xb', /none is named/],
    ['index --overwrite a.xb', /none is named/],
    ['report --overwrite a.xb', /none is named/],
    ['-c --overwrite a.xb', /--overwrite does nothing with -c/],
    ['verify --overwrite a.xb', /--manifest, --index, --info/],
    ['verify --manifest - a.xb', /--manifest takes a file, not "-"\n.*\.\/-/],
    ['verify --index - a.xb', /--index takes a file, not "-"/],
    ['verify --shard 1/2 --overwrite a.xb', /--overwrite and --shard/],
    ['verify --shard 1/2 --deep --encrypt-threads 2 a.xb', /--encrypt-threads and --shard/],
    ['verify --merge --decompress-threads 2 r', /--decompress-threads and --merge/],
    ['verify --merge --overwrite r', /--overwrite and --merge/],
    ['verify --merge --timeout 5 r', /only beside --archive/],
    ['verify --manifest m --index ./m a.xb', /are files of their own/],
    ['verify --overwrite --info m --index m a.xb', /are files of their own/],
    ['create -T l1 --files-from l2 -o b.xb', /--files-from was given more than once/],
    ['create --from-tar=1.tar --from-tar=2.tar -o b.xb', /--from-tar was given more than once/],
  ] as const) {
    test(words, async (context) => {
      const cwd = tempDir(context);
      fs.writeFileSync(join(cwd, 'a.xb'), BYTES);
      const { code, stdout, stderr } = await run(words.split(' '), { cwd });
      assert.match(stderr, said);
      assert.deepEqual([code, stdout, fs.readdirSync(cwd)], [EXIT.usage, '', ['a.xb']]);
    });
  }
});

describe('what is said of a command line that cannot be followed', { concurrency: true }, () => {
  for (const [words, isJson] of [
    ['list --json --bogus', true],
    ['list --js --bogus', true],
    ['list --bogus --json', true],
    ['verify --format=json --bogus', true],
    ['verify --bogus --format json', true],
    ['verify --form json --bogus', true],
    ['verify --format github --bogus', false],
    ['list --bogus -- --json', false],
    ['cat --json a b', false],
    ['completion --json', false],
    ['-x --json', false],
  ] as const) {
    test(words, async () => {
      const { code, stdout } = await run(words.split(' '));
      assert.equal(code, EXIT.usage);
      const types = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { type: string }).type);
      assert.deepEqual(types, isJson ? ['error', 'summary'] : []);
    });
  }
});
