/** Shells complete command lines by what `completion` prints: asked in the shells themselves. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { completionAnswer } from '../../dist/cli/completion/answer.js';
import { SHELLS } from '../../dist/cli/completion/scripts.js';
import { run } from '../helpers/cli.js';
import { archive, file } from '../helpers/archive-bytes.js';
import { FORMS, VERBS } from '../helpers/forms.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { pathWithProgram, Terminal } from '../helpers/terminal.js';

const SQL_NAMES = ['shop/orders.ibd', 'shop/order@0020items.ibd', 'crm/people.MYD', 'my@002dshop/t#P#p0.ibd.zst'];
const PATHS = ['ibdata1', 'xtrabackup_checkpoints.zst', ...SQL_NAMES, 'shop/$(touch hit) `touch hit`', 'shop/a b;c'];

/** A folder with an archive `A`, a directory and a file whose names begin alike. */
function folderWith(context: Cleanup): string {
  const folder = tempDir(context);
  fs.writeFileSync(join(folder, 'A'), archive(...PATHS.map((path) => file(path, `content of ${path}\n`))));
  fs.mkdirSync(join(folder, 'restored-here'));
  fs.writeFileSync(join(folder, 'restored.log'), '');
  return folder;
}

/** What may stand in the place of the last word. */
async function offers(...words: string[]): Promise<{ also: string; texts: string[] }> {
  const [also = '', ...lines] = (await completionAnswer('bash', words)).trimEnd().split('\n');
  return { also, texts: lines };
}

async function texts(...words: string[]): Promise<string[]> {
  return (await offers(...words)).texts;
}

describe('what is offered', () => {
  test('verbs, and what else may come first', async () => {
    assert.deepEqual((await texts('c')).sort(), ['cat', 'completion', 'convert-to-tar', 'create']);
    const first = await texts('');
    for (const { name, aliases } of VERBS) for (const word of [name, ...aliases]) assert.ok(first.includes(word), word);
    assert.deepEqual(await texts('completion', ''), [...SHELLS]);
    assert.deepEqual(await texts('help', 'verif'), ['verify']);
  });

  test('every option of every verb, and no other', async () => {
    for (const { name: verb, words } of VERBS) {
      const offered = (await texts(verb, '--')).map((word) => word.replace(/=$/, ''));
      assert.deepEqual(offered.sort(), [...words.keys()].map((name) => `--${name}`).sort(), verb);
    }
    assert.deepEqual(await texts('ls', '--'), await texts('list', '--'));
    const [xbstream] = FORMS;
    assert.equal((await texts('-x', '-')).length, xbstream!.words.size);
    assert.deepEqual(await texts('-x', '--encrypt-key'), ['--encrypt-key=', '--encrypt-key-file=']);
  });

  test('no name that a terminal acts on, also where only SQL has it', async (context) => {
    const path = join(tempDir(context), 'A');
    fs.writeFileSync(
      path,
      archive(file('d@001bb/t.ibd', ''), file('d@009bb/t.ibd', ''), file('db/t@001b.ibd', ''), file('db/t.ibd', '')),
    );
    assert.deepEqual(await texts('extract', path, '--databases', ''), ['db']);
    assert.deepEqual(await texts('extract', path, '--tables', ''), ['db.t']);
  });

  test('no name of an archive that would be taken for an option', async (context) => {
    const path = join(tempDir(context), 'A');
    fs.writeFileSync(path, archive(...['--overwrite', '-P', '-C/x', 'db/-t'].map((name) => file(name, ''))));
    assert.deepEqual(await texts('extract', path, ''), ['db/']);
    assert.deepEqual(await texts('extract', path, '--', ''), ['--overwrite', '-C/', '-P', 'db/']);
    assert.deepEqual(await texts('extract', path, 'db/'), ['db/-t']);
    assert.deepEqual(
      await texts('extract', path, '--include=-'),
      ['--include=-C/', '--include=-P', '--include=--overwrite'].sort(),
    );
  });

  test('values that are a few words, behind a = and as words of their own', async () => {
    assert.deepEqual(await texts('verify', '--format=j'), ['--format=json', '--format=junit']);
    assert.deepEqual(await texts('-x', '--decrypt', 'AES1'), ['AES128', 'AES192']);
    assert.deepEqual(await texts('extract', '-d', 'aes25'), ['AES256']);
    assert.deepEqual(await texts('extract', '--backup', ''), [], 'its value never is a word of its own');
  });

  test('digests, also the second of a list', async () => {
    assert.deepEqual(await texts('verify', '--digest=sha25'), ['--digest=sha256']);
    assert.deepEqual(await texts('verify', '--digest', 'md5,sha25'), ['md5,sha256']);
  });

  test('users, and groups behind the colon', async () => {
    const { username } = userInfo();
    assert.deepEqual(await texts('extract', `--chown=${username}`), [`--chown=${username}`, `--chown=${username}:`]);
    assert.ok((await texts('extract', '--chown', 'x:roo')).includes('x:root'));
  });

  test('files where files are wanted, directories where directories are, and nothing where it is a number', async () => {
    const kinds = async (...words: string[]): Promise<string> => (await offers(...words)).also;
    assert.equal(await kinds('extract', ''), 'files');
    assert.equal(await kinds('verify', '--manifest=x'), 'files');
    assert.equal(await kinds('extract', '-C', ''), 'directories');
    assert.equal(await kinds('convert-to-tar', '--tmp-dir=/t'), 'directories');
    assert.equal(await kinds('extract', '--parallel', ''), 'nothing');
    assert.equal(await kinds('-x', ''), 'nothing');
    assert.equal(await kinds('-c', ''), 'files');
    assert.equal(await kinds('create', 'a', ''), 'files');
    assert.equal(await kinds('no-verb', ''), 'nothing');
  });

  test('what an archive holds: paths step by step, tables and databases as SQL has them', async (context) => {
    const path = join(folderWith(context), 'A');
    assert.deepEqual(await texts('cat', path, ''), [
      'crm/',
      'ibdata1',
      'my@002dshop/',
      'shop/',
      'xtrabackup_checkpoints',
    ]);
    assert.deepEqual(await texts('cat', path, 'xtrabackup_checkpoints.'), ['xtrabackup_checkpoints.zst']);
    assert.deepEqual(await texts('extract', '-C', 'x', path, 'shop/o'), [
      'shop/order@0020items.ibd',
      'shop/orders.ibd',
    ]);
    assert.deepEqual(await texts('list', path, '--exclude=crm/'), ['--exclude=crm/people.MYD']);
    assert.deepEqual(await texts('list', path, '--tables=shop.'), [
      String.raw`--tables=shop.\`order\ items\``,
      '--tables=shop.orders',
    ]);
    assert.deepEqual(await texts('list', path, '--tables=shop.orders,c'), ['--tables=shop.orders,crm.people']);
    assert.deepEqual(await texts('list', path, '--databases', ''), ['crm', 'my-shop', 'shop']);
    assert.deepEqual(await texts('cat', join(path, 'no-file'), ''), []);
    assert.deepEqual(await texts('cat', '/etc/passwd', ''), []);
  });

  test('a name that a shell would act on is quoted, or not offered inside of quotes that do not hold it', async (context) => {
    const path = join(folderWith(context), 'A');
    const quoted = [String.raw`shop/\$\(touch\ hit\)\ \`touch\ hit\``];
    assert.deepEqual(await texts('cat', path, 'shop/$'), quoted);
    assert.deepEqual(await texts('cat', path, String.raw`shop/\$`), quoted);
    assert.deepEqual(await texts('cat', path, "'shop/a"), ['shop/a b;c']);
    assert.deepEqual(await texts('cat', path, '"shop/$'), []);
  });
});

/** Command lines with a Tab in them, and what is shown when they are run: what a half name would not do. */
const LINES: readonly (readonly [line: string, shown: RegExp])[] = [
  ['tsxbstream cat A ibda\t', /content of ibdata1/],
  ['tsxbstream cat A shop/orders\t', /content of shop\/orders.ibd/],
  ['tsxbstream cat A shop/a\t', /content of shop\/a b;c/],
  ['tsxbstream list A --tables=crm.p\t', /people\.MYD/],
  ['tsxbstream list A --databases=cr\t', /people\.MYD/],
  ['tsxbstream extract A --dry-run --backup=never -C restored\t', /into restored-here/],
  ['tsxbstream verify --deep -k 0123456789abcdef -d aes1\t28 A', /.*/],
  ['tsxbstream verify A --backup=never --digest=sha25\t', /[0-9a-f]{64} {2}A\r\n/],
  ['tsxbstream extract A --dry-run --backup=never --chown=roo\t', /would unpack/],
  ['tsxbstream verify A --backup=nev\t --forma\tjunit', /<testsuites/],
];

/** Types lines at a shell, and holds what they show against what they must. */
async function typesAt(context: Cleanup, shell: string, setUp: string, lines = LINES): Promise<void> {
  const cwd = folderWith(context);
  const env = { PATH: pathWithProgram(cwd), HOME: cwd, HISTFILE: '/dev/null' };
  const terminal = new Terminal(context, shell, { cwd, env });
  await terminal.shows(/[#$%]/);
  terminal.type(`PS1='ready> '; ${setUp}; echo set"" up\r`);
  await terminal.shows(/set up\r\n[^]*ready> /);
  for (const [line, shown] of lines) {
    terminal.type(`${line}; echo do""ne\r`);
    assert.match(await terminal.shows(/done\r\n[^]*ready> /), shown, JSON.stringify(line));
  }
  assert.ok(!fs.existsSync(join(cwd, 'hit')), 'a name out of the archive was run');
}

describe('in the shells themselves', { concurrency: true }, () => {
  test('bash', async (context) => {
    if (!hasProgram(context, 'script', 'bsdutils')) return;
    await typesAt(context, 'bash --norc --noprofile -i', 'source <(tsxbstream completion bash)');
  });

  const zsh = 'zsh -f -i';
  for (const [turn, [title, setUp]] of [
    ['zsh, with compinit', 'autoload -U compinit; compinit -u -D; source <(tsxbstream completion zsh)'],
    ['zsh, without compinit', 'source <(tsxbstream completion zsh)'],
    [
      'zsh, as a file in fpath',
      'mkdir functions; tsxbstream completion zsh > functions/_tsxbstream; fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D',
    ],
  ].entries()) {
    test(title, async (context) => {
      if (!hasProgram(context, 'zsh', 'zsh') || !hasProgram(context, 'script', 'bsdutils')) return;
      await typesAt(context, zsh, setUp!, sampled(LINES, 5, turn));
    });
  }

  for (const [title, setUp] of [
    ['fish', 'tsxbstream completion fish | source'],
    [
      'fish, as a file',
      'mkdir -p .config/fish/completions; tsxbstream completion fish > .config/fish/completions/tsxbstream.fish',
    ],
  ] as const) {
    test(title, (context) => {
      if (!hasProgram(context, 'fish', 'fish')) return;
      const cwd = folderWith(context);
      const env = { ...process.env, PATH: pathWithProgram(cwd), HOME: cwd, XDG_CONFIG_HOME: join(cwd, '.config') };
      const fish = (command: string): string => execFileSync('fish', ['-c', command], { cwd, env, encoding: 'utf8' });
      if (title !== 'fish') fish(setUp);
      // All at once: to load what completes takes longer than to ask.
      const lines = [
        ...['tsxbstream ', 'tsxbstream verify --', 'tsxbstream list --', 'tsxbstream verify --format=ju'],
        ...['tsxbstream cat A shop/orders', 'tsxbstream cat A "shop/a', 'tsxbstream list A --tables=crm.'],
        ...['tsxbstream extract A -C restored', 'tsxbstream verify --manifest=restored.', 'tsxbstream -x -d aes1'],
        'tsxbstream verify --digest=sha25',
      ];
      const asked = lines.map((line) => `complete -C ${JSON.stringify(line)}; echo =`).join('; ');
      const answers = fish(`${title === 'fish' ? setUp : 'true'}; ${asked}`)
        .split(/^=\n/m)
        .map((answer) => Array.from(answer.matchAll(/^[^\t\n]+/gm), ([found]) => found));
      assert.equal(answers.length, lines.length + 1);
      const [verbs, verify, list, ...others] = answers as [string[], string[], string[], ...string[][]];
      assert.ok(verbs.includes('verify'));
      assert.ok(verify.includes('--backup'));
      assert.ok(list.includes('--bytes') && !list.includes('--backup'));
      assert.deepEqual(others, [
        ['--format=junit'],
        ['shop/orders.ibd'],
        ['shop/a b;c'],
        ['--tables=crm.people'],
        ['restored-here/'],
        ['--manifest=restored.log'],
        ['AES128', 'AES192'],
        ['--digest=sha256'],
        [],
      ]);
    });
  }
});

test('the verb', async () => {
  for (const shell of SHELLS) {
    const { code, stdout } = await run(['completion', shell]);
    assert.equal(code, EXIT.ok);
    assert.match(stdout, /__complete/);
  }
  assert.equal((await run(['completion'])).code, EXIT.usage);
  const { stderr } = await run(['completion', 'csh']);
  assert.match(stderr, /there is no completion for csh\n {2}shells: bash, zsh, fish/);
  assert.match((await run(['completion', '--help'])).stdout, /^Usage:\n {2}tsxbstream completion bash\|zsh\|fish/);
});
