import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCall, type Call } from '../../dist/cli/call.js';
import { XbstreamError } from '../../dist/errors.js';
import type { DecryptionKey } from '../../dist/codec/codec.js';

function read(
  words: readonly string[],
  {
    name = 'tsxbstream.js',
    terminal = false,
    env = {},
  }: { name?: string; terminal?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<Call> {
  return readCall({ argv: ['node', `/usr/bin/${name}`, ...words], isTerminal: (fd) => terminal && fd === 0, env });
}

/** What an extraction is told of all that is in {@link DEFAULTS}. */
async function optionsOf(words: readonly string[], name?: string): Promise<Record<string, unknown>> {
  return told(await read(words, name === undefined ? {} : { name }));
}

function told(call: Call): Record<string, unknown> {
  assert.equal(call.kind, 'verb');
  const options = call.options as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.keys(DEFAULTS).map((key) => [key, options[key]]));
}

async function textOf(words: readonly string[], name?: string): Promise<{ text: string; exitCode: number }> {
  const call = await read(words, name === undefined ? {} : { name });
  assert.equal(call.kind, 'text');
  return call;
}

const DEFAULTS: Record<string, unknown> = {
  input: { kind: 'descriptor', fd: 0 },
  target: '.',
  createTarget: false,
  include: [],
  exclude: [],
  tables: [],
  databases: [],
  keepGoing: false,
  existing: 'refuse',
  decompress: false,
  key: undefined,
  allowEncrypted: false,
  asXbstream: true,
  decompressThreads: undefined,
  decryptThreads: undefined,
  stripComponents: 0,
  absoluteNames: false,
  allowSymlinks: false,
  allowEmpty: false,
  backup: 'auto',
  dryRun: false,
  fsync: false,
  owner: undefined,
  removePartial: false,
  digests: [],
  manifest: undefined,
  parallel: undefined,
  json: false,
  quiet: false,
  verbose: false,
  progress: 'auto',
  color: 'auto',
};

/** The same of the verb. */
const VERB_DEFAULTS: Record<string, unknown> = { ...DEFAULTS, createTarget: true, asXbstream: undefined };

test('-x reads stdin, wants its target to exist, and has the defaults of xbstream', async () => {
  assert.deepEqual(await optionsOf(['-x']), DEFAULTS);
});

test('-x ignores further words, as xbstream does', async () => {
  assert.deepEqual(await optionsOf(['-x', 'some', 'words', '-C', 'dir']), { ...DEFAULTS, target: 'dir' });
});

test('-x --parallel=1 /dir, which fills the current directory, is warned of', async () => {
  const warningOf = async (...words: string[]): Promise<string | undefined> => {
    const call = await read(words);
    return call.kind === 'verb' ? call.warnings[0] : undefined;
  };
  assert.equal(await warningOf('-x', '-C', 'dir'), undefined);
  assert.equal(await warningOf('extract', 'archive', 'pattern/*'), undefined);
  const ignored = '-x reads stdin and ignores words that are no options:';
  assert.equal(await warningOf('-x', 'word', 'other'), `${ignored} word other`);
  assert.equal(await warningOf('-x', '/no/file', '-C', 'dir'), `${ignored} /no/file`);
  for (const directory of ['/no/such/directory', 'test', 'restored/', '.']) {
    const expected = `${ignored} ${directory}; to unpack into a directory: -C ${directory}`;
    assert.equal(await warningOf('-x', '--parallel=1', directory), expected);
  }
});

test('--remove-original is accepted by -x: nothing encoded is left', async () => {
  const words = ['-x', '--decompress', '--remove-original'];
  assert.deepEqual(await optionsOf(words), await optionsOf(['-x', '--decompress']));
  assert.equal((await optionsOf([...words, '--remove-partial']))['removePartial'], true);
});

for (const name of ['xbstream', 'mbstream']) {
  test(`started as ${name}, a first word is no verb`, async () => {
    assert.deepEqual(await optionsOf(['extract', '-x'], name), DEFAULTS);
  });
}

test('-x takes what concerns the target, the selection and the checks, too', async () => {
  const words =
    '-x -P --overwrite --allow-symlinks --allow-empty --dry-run --fsync --remove-partial --strip-components=2 ' +
    '--include=a --exclude b --include c --exclude=d --digest sha1 --digest md5,SHA-256 --manifest m -p 3';
  assert.deepEqual(await optionsOf(words.split(' ')), {
    ...DEFAULTS,
    include: ['a', 'c'],
    exclude: ['b', 'd'],
    existing: 'overwrite',
    stripComponents: 2,
    absoluteNames: true,
    allowSymlinks: true,
    allowEmpty: true,
    dryRun: true,
    fsync: true,
    removePartial: true,
    digests: ['sha1', 'md5', 'sha256'],
    manifest: 'm',
    parallel: 3,
  });
});

test('a key decrypts without --decrypt', async () => {
  const key = { cipher: 'AES192', bytes: Buffer.from('0123456789abcdef01234567') };
  assert.deepEqual(await optionsOf(['-x', '-k', '0123456789abcdef01234567']), {
    ...DEFAULTS,
    key,
    input: { kind: 'descriptor', fd: 0, stream: { asIs: false, key } },
  });
});

test('files that stay encrypted: a warning with -x, an error with a verb, nothing where that is allowed', async () => {
  const policies = await Promise.all(
    [['-x'], ['extract', '-'], ['-x', '--allow-encrypted'], ['extract', '-', '--allow-encrypted']].map(
      async (words) => {
        const { allowEncrypted, asXbstream } = await optionsOf(words);
        return { allowEncrypted, asXbstream };
      },
    ),
  );
  assert.deepEqual(policies, [
    { allowEncrypted: false, asXbstream: true },
    { allowEncrypted: false, asXbstream: undefined },
    { allowEncrypted: true, asXbstream: true },
    { allowEncrypted: true, asXbstream: undefined },
  ]);
});

test('layers are undone with the key and the threads that were given', async () => {
  const words = '-x --decompress --decrypt=aes128 -k 0123456789abcdef --decompress-threads=2 --encrypt-threads=3';
  const key = { cipher: 'AES128', bytes: Buffer.from('0123456789abcdef') } as const;
  assert.deepEqual(await optionsOf(words.split(' ')), {
    ...DEFAULTS,
    decompress: true,
    key,
    input: { kind: 'descriptor', fd: 0, stream: { asIs: false, key } },
    decompressThreads: 2,
    decryptThreads: 3,
  });
});

test('the variable gives the key where no option does, and --decrypt=NONE needs none', async () => {
  const env = { XBCRYPT_ENCRYPTION_KEY: '0123456789abcdef' };
  const keyFor = async (words: string[]): Promise<string | undefined> => {
    const key = told(await read(words, { env }))['key'] as DecryptionKey | undefined;
    return key && Buffer.from(key.bytes).toString();
  };
  assert.equal(await keyFor(['-x', '-dAES128']), '0123456789abcdef');
  assert.equal(await keyFor(['-x', '-dAES128', '-kfedcba9876543210']), 'fedcba9876543210');
  assert.equal(await keyFor(['-x', '--decrypt=none']), undefined);
  assert.equal(await keyFor(['-x', '--decompress', '--decrypt=none']), undefined);
  assert.equal(await keyFor(['-x', '--decompress']), '0123456789abcdef');
  assert.equal(await keyFor(['-x']), undefined);
});

test('of an option given several times the last one counts', async () => {
  assert.equal((await optionsOf(['-x', '-C', 'one', '--dir=two'])).target, 'two');
});

test('extract makes its target; its words are the archive, then patterns', async () => {
  assert.deepEqual(await optionsOf(['extract', 'backup.xbstream', 'db1/*', '--include', 'db2/*', '-C', 'dir']), {
    ...VERB_DEFAULTS,
    input: { kind: 'path', path: 'backup.xbstream' },
    target: 'dir',
    include: ['db1/*', 'db2/*'],
  });
});

for (const words of [['extract'], ['extract', '-']]) {
  test(`${words.join(' ')} reads stdin`, async () => {
    assert.deepEqual(await optionsOf(words), VERB_DEFAULTS);
  });
}

test('an archive whose name looks like an option comes after --', async () => {
  assert.deepEqual((await optionsOf(['extract', '--', '-x'])).input, { kind: 'path', path: '-x' });
});

test('a file that exists is an archive even where its name looks like a pattern', async () => {
  const path = new URL('.', import.meta.url).pathname + 'fixture[1].xbstream';
  const { writeFileSync, rmSync } = await import('node:fs');
  writeFileSync(path, '');
  try {
    assert.deepEqual((await optionsOf(['extract', path])).input, { kind: 'path', path });
  } finally {
    rmSync(path);
  }
});

test('--skip-existing compares sizes, with =verify contents', async () => {
  assert.equal((await optionsOf(['extract', '--skip-existing'])).existing, 'keep-same-size');
  assert.equal((await optionsOf(['extract', '--skip-existing=verify'])).existing, 'keep-same-content');
  assert.equal((await optionsOf(['-x', '--skip-existing'])).existing, 'keep-same-size');
});

test('what is shown', async () => {
  const words = ['extract', '--json', '-v', '--progress', 'always', '--color=never', '--dry-run'];
  const shown = { json: true, verbose: true, dryRun: true, progress: 'always', color: 'never' };
  assert.deepEqual(await optionsOf(words), { ...VERB_DEFAULTS, ...shown });
  assert.deepEqual(await optionsOf(['-xq']), { ...DEFAULTS, quiet: true });
});

test('help and version are texts, whatever else is asked for', async () => {
  const overview = await textOf(['--help']);
  const xbstream = await textOf(['-x', '--help']);
  const extract = await textOf(['extract', '-?']);
  assert.match(overview.text, /^tsxbstream \d/);
  assert.match(xbstream.text, /^Usage:\n {2}tsxbstream -x /);
  assert.match(extract.text, /^Usage:\n {2}tsxbstream extract /);
  assert.deepEqual(await textOf(['help']), overview);
  assert.deepEqual(await textOf(['-?']), overview);
  assert.deepEqual(await textOf(['help', '-x']), xbstream);
  for (const name of ['xbstream', 'mbstream']) {
    // Scripts look for this beginning, and take what follows for a version.
    const title = new RegExp(`^${name} {2}Ver \\d+\\.\\d+\\.\\d+ for \\w+ on \\w+ \\(tsxbstream\\)\\n`);
    for (const words of [['--help'], ['-?'], ['-x', '--help']]) {
      const { text } = await textOf(words, name);
      assert.match(text, title);
      assert.equal(text.replace(title, ''), xbstream.text);
    }
    for (const words of [['--version', '-v'], ['-xV']]) assert.match((await textOf(words, name)).text, title);
  }
  assert.deepEqual(await textOf(['help', 'extract']), extract);
  assert.match((await textOf(['-xV'])).text, /^tsxbstream \d+\.\d+\.\d+\n$/);
  assert.match((await textOf(['extract', '--version'])).text, /^tsxbstream \d+\.\d+\.\d+\n$/);
});

test('no word at all is answered with the usage and exit code 2', async () => {
  assert.deepEqual(await textOf([]), {
    kind: 'text',
    text: `Usage:
  tsxbstream -x [options] < ARCHIVE
  tsxbstream -c [options] FILE... > ARCHIVE
      unpack and pack as xbstream and mbstream do
  tsxbstream extract [options] [ARCHIVE] [PATTERN...]
      unpack an archive, or some of its files
  tsxbstream list [options] [ARCHIVE] [PATTERN...]
      show what is in an archive
  tsxbstream verify [options] [ARCHIVE]
      prove that an archive is whole
  tsxbstream info [options] [ARCHIVE]
      tell what backup an archive holds, and what to do with it
  tsxbstream cat [options] ARCHIVE PATH...
      write the content of files to stdout
  tsxbstream create [options] FILE...
  tsxbstream create [options] --from-tar[=FILE]
      make an archive of files, directories or a tar archive
  tsxbstream convert-to-tar [options] [ARCHIVE] [PATTERN...]
      make a tar of an archive, or of some of its files
  tsxbstream decode [options] DIR|FILE...
      decompress and decrypt files where they lie

More:
  tsxbstream --help
`,
    exitCode: 2,
  });
});

const REFUSALS: readonly [words: string[], code: string, message: string, hints: string[]][] = [
  [
    ['extrct'],
    'XB_USAGE',
    'there is no command "extrct"',
    [
      'did you mean: tsxbstream extract?',
      'commands: extract, list, verify, info, cat, create, convert-to-tar, decode; and -x, as xbstream has it',
      'what they do: tsxbstream --help',
    ],
  ],
  [
    ['package.json'],
    'XB_USAGE',
    'there is no command "package.json"',
    [
      'to unpack package.json: tsxbstream extract package.json -C DIR',
      'commands: extract, list, verify, info, cat, create, convert-to-tar, decode; and -x, as xbstream has it',
      'what they do: tsxbstream --help',
    ],
  ],
  [
    ['-v', 'extract'],
    'XB_USAGE',
    'it is not said what to do',
    [
      'the verb comes first: tsxbstream extract ...',
      'to unpack the archive on stdin: tsxbstream -x -C DIR < ARCHIVE',
      'what else there is: tsxbstream --help',
    ],
  ],
  [['-xc'], 'XB_USAGE', '-x and -c exclude each other', ['-x unpacks an archive, -c writes one']],
  [['-c'], 'XB_USAGE', 'no files are named', ['name them: tsxbstream create FILE... -o ARCHIVE']],
  [['-c', '--chown=root', 'f'], 'XB_USAGE', '--chown does nothing with -c', ['leave it out, or unpack with -x']],
  [
    ['-x', '-k', 'secret', '-f', 'keyfile'],
    'XB_USAGE',
    'a key was given twice, by --encrypt-key and by --encrypt-key-file',
    ['give one of the two'],
  ],
  [
    ['extract', '-dAES256'],
    'XB_KEY_REQUIRED',
    '--decrypt=AES256 needs a key and none was given',
    ['give it by --encrypt-key-file, --encrypt-key or the variable XBCRYPT_ENCRYPTION_KEY'],
  ],
  [
    ['extract', '-dAES256', '-k', 'secret'],
    'XB_BAD_KEY',
    'the key of --encrypt-key has the wrong length for AES256',
    [],
  ],
  [
    ['-x', '--fifo-streams=2'],
    'XB_USAGE',
    '--fifo-streams=2 needs --fifo-dir',
    ['the directory that was given to the writer: xtrabackup --fifo-streams=N --fifo-dir=DIR'],
  ],
  [['-x', '--fifo-streams=1025', '--fifo-dir=d'], 'XB_USAGE', '--fifo-streams takes at most 1024, not 1025', []],
  [
    ['-x', '--fifo-streams=2', '--fifo-dir=d', '--digest=md5'],
    'XB_USAGE',
    '--digest and --fifo-streams exclude each other',
    ['the order in which parts come through several pipes is never the same twice'],
  ],
  [
    ['-x', '--fifo-streams=2', '--fifo-dir=d', '--keep-going'],
    'XB_USAGE',
    '--keep-going and --fifo-streams exclude each other',
    ['damage in one pipe ends the run'],
  ],
  [['-c', '-p-1'], 'XB_USAGE', '--parallel takes a whole number, 0 or more, not "-1"', []],
  [['-x', '--decrypt=DES'], 'XB_USAGE', '--decrypt takes AES128, AES192, AES256 or NONE, not "DES"', []],
  [['-x', '-C', ''], 'XB_USAGE', '--directory takes a directory', []],
  [['-x', '--encrypt-key='], 'XB_USAGE', '--encrypt-key takes a key', []],
  [['-x', '--encrypt-threads=1e3'], 'XB_USAGE', '--encrypt-threads takes a whole number, 1 or more, not "1e3"', []],
  [
    ['extract', '--decompress-threads', 'x'],
    'XB_USAGE',
    '--decompress-threads takes a whole number, 1 or more, not "x"',
    [],
  ],
  [
    ['extract', '--strip-components=-1'],
    'XB_USAGE',
    '--strip-components takes a whole number, 0 or more, not "-1"',
    [],
  ],
  [['extract', '--progress=yes'], 'XB_USAGE', '--progress takes auto, always or never, not "yes"', []],
  [['extract', '--skip-existing=size'], 'XB_USAGE', '--skip-existing takes verify, not "size"', []],
  [
    ['extract', '--overwrite', '--skip-existing'],
    'XB_USAGE',
    '--overwrite and --skip-existing exclude each other',
    ['--overwrite replaces files that are there, --skip-existing keeps them: leave out one'],
  ],
  [['extract', '-qv'], 'XB_USAGE', '-q and -v exclude each other', ['leave out one of them']],
  [
    ['extract', '--digest', 'sha1,sha25'],
    'XB_USAGE',
    '--digest: there is no digest "sha25"',
    ['did you mean sha256?', 'among others there are: md5, sha1, sha256, sha512'],
  ],
  [
    ['extract', '--digest=,'],
    'XB_USAGE',
    '--digest was given an empty name',
    ['among others there are: md5, sha1, sha256, sha512'],
  ],
  [
    ['extract', "shop's/*", 'db1/t?.ibd'],
    'XB_USAGE',
    `there is no archive "shop's/*"; it looks like a pattern`,
    ['the archive comes first, and - stands for stdin:', `tsxbstream extract - 'shop'\\''s/*' 'db1/t?.ibd' < ARCHIVE`],
  ],
  [['extract', ''], 'XB_USAGE', 'the name of the archive is empty', ['- stands for stdin']],
];

for (const [words, code, message, hints] of REFUSALS) {
  test(`${JSON.stringify(words)} is answered: ${message}`, async () => {
    await assert.rejects(read(words), (error: unknown) => {
      assert.ok(error instanceof XbstreamError);
      assert.deepEqual([error.code, error.message, error.hints], [code, message, hints]);
      return true;
    });
  });
}

const TERMINAL: readonly [words: string[], hints: string[]][] = [
  [['-x'], ['from a file: tsxbstream -x -C DIR < ARCHIVE', 'from a pipe: ... | tsxbstream -x -C DIR']],
  [
    ['-x', 'package.json'],
    ['from a file: tsxbstream -x -C DIR < package.json', 'from a pipe: ... | tsxbstream -x -C DIR'],
  ],
  [['extract'], ['from a file: tsxbstream extract ARCHIVE -C DIR', 'from a pipe: ... | tsxbstream extract -C DIR']],
];

for (const [words, hints] of TERMINAL) {
  test(`${words.join(' ')} refuses a terminal as stdin`, async () => {
    await assert.rejects(read(words, { terminal: true }), (error: unknown) => {
      assert.ok(error instanceof XbstreamError);
      assert.deepEqual(
        [error.code, error.message, error.hints],
        ['XB_USAGE', 'stdin is a terminal, and an archive cannot be typed', hints],
      );
      return true;
    });
  });
}

test('extract ARCHIVE does not care what stdin is', async () => {
  const call = await read(['extract', 'backup.xbstream'], { terminal: true });
  assert.equal(call.kind, 'verb');
});

test('convert-to-tar is told what extract is, and what a tar needs', async () => {
  const words = ['tar', 'package.json', 'shop/*', '--tables=a.b', '--decompress', '--mtime=@7', '--stream', '-o', 'x'];
  const call = await read([...words, '--tmp-dir=/spool', '--sparse', '--allow-empty']);
  assert.equal(call.kind, 'verb');
  assert.deepEqual(call.options, {
    input: { kind: 'path', path: 'package.json' },
    output: { kind: 'path', path: 'x', overwrite: false, compression: undefined },
    ...{ parts: false, decodeStream: true, timeout: undefined, compress: undefined },
    ...{ include: ['shop/*'], exclude: [], tables: ['a.b'], databases: [] },
    ...{ decompress: true, key: undefined, allowEncrypted: false },
    ...{ decompressThreads: undefined, decryptThreads: undefined, parallel: undefined },
    ...{ absoluteNames: false, allowEmpty: true, overwrite: false, backup: 'auto' },
    ...{ sparse: true, mtime: 7, stream: true, tmpDir: '/spool' },
    ...{ json: false, quiet: false, verbose: false, progress: 'auto', color: 'auto', help: false, version: false },
  });
});

for (const words of [
  ['tar', 'package.json'],
  ['create', 'a'],
  ['-c', 'a'],
]) {
  test(`${words.join(' ')} refuses a terminal as stdout`, async () => {
    const asked = readCall({ argv: ['node', 'tsxbstream.js', ...words], isTerminal: (fd) => fd === 1, env: {} });
    await assert.rejects(asked, (error: unknown) => {
      assert.ok(error instanceof XbstreamError);
      assert.deepEqual([error.code, error.message], ['XB_USAGE', 'stdout is a terminal, and what is made is no text']);
      assert.match(error.hints.join(), / -o .*\| \.\.\./);
      return true;
    });
  });
}
