/** Every command of README, docs and manual pages is run as it is printed there, in a world of its own (`docs-world.sh`). */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { readCall } from '../../dist/cli/call.js';
import { COMPLETION } from '../../dist/cli/completion/form.js';
import { commandsOf, type Job } from '../helpers/commands.js';
import { FORMS } from '../helpers/forms.js';
import { PROGRAM } from '../helpers/cli.js';
import { xbcryptFile } from '../helpers/layer-writers.js';
import { objectsOf, writeObjects } from '../helpers/objects.js';
import { hasProgram, isRoot, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const textOf = (name: string): string => fs.readFileSync(join(PROJECT, name), 'utf8');
const DOCS = fs.readdirSync(join(PROJECT, 'docs')).filter((name) => name.endsWith('.md'));
/** Pages whose commands need more than this world has: what tries them instead. */
const TRIED_ELSEWHERE: Readonly<Record<string, string>> = {
  'install.md': '.ci/packages and .ci/empty-machine, in machines without Node; .ci/containers',
  'sources.md': 'test/docs/sources.test.ts, with servers on loopback',
};
const OWN = DOCS.filter((name) => !(name in TRIED_ELSEWHERE)).map((name) => `docs/${name}`);
const PAGES = ['README.md', 'samples/README.md', ...OWN];
/** What the commands of a page find beside the files of all. */
const BEFORE: Readonly<Record<string, string>> = {
  'docs/decode.md': `tsxbstream extract -q backup.xbstream -C restored && zstd -q --rm restored/shop/orders.ibd
tsxbstream extract -q encrypted.xbstream -C /srv/full`,
  'docs/many-machines.md': 'rm result-* && mkdir /srv/backups && cp backup.xbstream /srv/backups/',
  'docs/objects.md': 'mv objects full',
};

/** Small enough that a server starts in a moment. */
const SETTINGS = `[mysqld]
innodb_log_file_size = 4M
innodb_buffer_pool_size = 32M
innodb_flush_log_at_trx_commit = 0
innodb_use_native_aio = 0
aria_log_file_size = 8M
server_id = 1
log_bin = binlog
`;

const WITH_TYPES = `exec ${process.execPath} --import ${import.meta.resolve('tsx')}`;
/** Programs of the world, by their names. */
const PROGRAMS: Readonly<Record<string, string>> = {
  tsxbstream: `exec ${process.execPath} ${PROGRAM} "$@"`,
  ssh: `exec /usr/bin/ssh -q -F /dev/null -i "$(dirname "$0")/../user_key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ProxyCommand="/usr/sbin/sshd -i -f $WORLD_SSHD" "$@"`,
  systemctl: `case $1 in
  start)
    setsid mariadbd --user=mysql </dev/null >/dev/null 2>&1 &
    for _ in $(seq 600); do mariadb-admin ping >/dev/null 2>&1 && exit 0; sleep 0.05; done
    exit 1 ;;
  stop)
    mariadb-admin shutdown >/dev/null 2>&1
    while pgrep -x mariadbd >/dev/null; do sleep 0.02; done ;;
esac
exit 0`,
  shown: `${WITH_TYPES} ${join(PROJECT, 'test/helpers/shown.ts')} "$1" "$(cat)"`,
  xtrabackup: `${WITH_TYPES} ${join(PROJECT, 'test/helpers/xtrabackup.ts')} "$@"`,
};

const cleanups: (() => void)[] = [];
after(() => cleanups.forEach((work) => work()));
let world: string;

function inWorld(...words: string[]): Promise<{ stdout: string }> {
  const script = join(PROJECT, 'test/helpers/docs-world.sh');
  const own = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  return promisify(execFile)('unshare', [...own, 'bash', script, ...words], { maxBuffer: 1 << 26 });
}

async function makeWorld(): Promise<void> {
  world = tempDir({ after: (work) => cleanups.push(work) });
  fs.chmodSync(world, 0o755);
  for (const folder of ['bin', 'conf.d', 'files']) fs.mkdirSync(join(world, folder));
  for (const [name, script] of Object.entries(PROGRAMS)) {
    fs.writeFileSync(join(world, 'bin', name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  }
  fs.writeFileSync(join(world, 'conf.d/small.cnf'), SETTINGS);
  for (const key of ['host_key', 'user_key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(world, key)]);
  }
  const file = (name: string): string => join(world, 'files', name);
  fs.cpSync(join(PROJECT, 'samples'), file('samples'), { recursive: true });
  fs.mkdirSync(file('bin'));
  fs.symlinkSync(PROGRAM, file('bin/tsxbstream.js'));
  fs.copyFileSync(join(PROJECT, 'samples/percona-zstd-aes256.xbstream'), file('encrypted.xbstream'));
  for (const key of ['backup.key', 'KEYFILE']) fs.copyFileSync(join(PROJECT, 'samples/percona.key'), file(key));
  const bytes = fs.readFileSync(file('backup.key'));
  fs.copyFileSync(join(PROJECT, 'test/fixtures/reports/08-whole-archive.xb.qp'), file('backup_xb.qp'));
  const wrapped = gzipSync(fs.readFileSync(join(PROJECT, 'samples/percona-plain.xbstream')));
  fs.writeFileSync(file('backup.xb.gz.xbcrypt'), xbcryptFile(wrapped, { cipher: 'AES256', bytes }));
  await inWorld('make', world);
  writeObjects(file('objects'), objectsOf(fs.readFileSync(file('backup.xbstream'))));
}

function canRun(context: TestContext): boolean {
  return (
    isRoot(context) &&
    Object.entries(NEEDED).every(([program, debianPackage]) => hasProgram(context, program, debianPackage))
  );
}

const NEEDED = {
  mariadbd: 'mariadb-server',
  'mariadb-backup': 'mariadb-backup',
  unshare: 'util-linux',
  ip: 'iproute2',
  pgrep: 'procps',
  sshd: 'openssh-server',
  nc: 'netcat-openbsd',
  pv: 'pv',
  fish: 'fish',
};

async function runAll(name: string, jobs: readonly Job[]): Promise<void> {
  const folder = join(world, `jobs-${name.replaceAll('/', '-')}`);
  fs.mkdirSync(folder);
  const files = jobs.map(({ place, script }, index) => {
    const file = join(folder, `${String(index).padStart(3, '0')}.sh`);
    fs.writeFileSync(file, `# ${place}\n${BEFORE[name] ?? ''}\n${script}\n`);
    return file;
  });
  try {
    await inWorld('run', world, ...files);
  } catch (error) {
    assert.fail((error as { stdout?: string }).stdout ?? String(error));
  }
}

describe('commands are run as they are printed', { concurrency: 2 }, () => {
  before(async () => {
    if (SOAK && process.getuid?.() === 0) await makeWorld();
  });

  for (const page of PAGES) {
    const { jobs, unmarked } = commandsOf(page, textOf(page));
    test(`${page}: each block is run, or says by what`, () => {
      assert.deepEqual(unmarked, []);
    });
    // A minute or more: a server is started dozens of times.
    if (jobs.length === 0 || !SOAK) continue;
    test(page, async (context) => {
      if (canRun(context)) await runAll(page, jobs);
    });
  }

  test('help texts and manual pages', async (context) => {
    if (!SOAK || !canRun(context)) return;
    const jobs = [...FORMS, COMPLETION].flatMap(({ name, call: place, examples }) => {
      const scripts = examples.map(({ command }) => (command.endsWith('| source') ? `fish -c '${command}'` : command));
      // One makes what the next one uses.
      return (name === 'index' ? [scripts.join('\n')] : scripts).map((script) => ({ place, script }));
    });
    await runAll('help', jobs);
  });
});

/** What stands for a word in a call that is spoken of. */
const PLACEHOLDERS: Readonly<Record<string, string>> = { VERB: 'list', 'DIR|FILE...': 'DIR', 'bash|zsh|fish': 'bash' };

test('a call in the middle of a sentence is one that the program understands', async () => {
  const calls = [...PAGES, ...Object.keys(TRIED_ELSEWHERE).map((name) => `docs/${name}`), 'SECURITY.md', 'CHANGELOG.md']
    .flatMap((page) =>
      Array.from(
        textOf(page)
          .replace(/^```[^]*?^```$/gm, '')
          .matchAll(/`(tsxbstream [^`]+)`/g),
        ([, call]) => call!,
      ),
    )
    .map((call) =>
      call
        .replace(/ \| .*/s, '')
        .split(/\s+/)
        .slice(1)
        .map((word) => PLACEHOLDERS[word] ?? word),
    );
  // One word alone names a verb.
  const whole = calls.filter(({ length }) => length > 1);
  assert.ok(whole.length > 10);
  for (const words of whole) {
    const argv = [process.execPath, 'tsxbstream', ...words];
    await assert.doesNotReject(readCall({ argv, env: {}, isTerminal: () => false }), words.join(' '));
  }
});

test('what is run elsewhere names a file that there is', () => {
  for (const page of PAGES) {
    for (const [, file] of textOf(page).matchAll(/^<!-- run by: (\S+) -->$/gm)) {
      assert.ok(fs.existsSync(join(PROJECT, file!)), `${page}: ${file!}`);
    }
  }
});
