/**
 * `npm run fuzz -- [--seconds N] [--seed S,...] [--keep DIR] [--replay FILE]`: archives changed by their grammar, each through some
 * of the ways into the program, held against a second reader. The work is done in a process of its own, which this one watches.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const TYPESCRIPT = fileURLToPath(new URL('../helpers/typescript.js', import.meta.url));
/** A case that takes so long hangs. It says nothing of how quick a case has to be. */
const HANG_MS = 120_000;
const RSS_BYTES_MAX = 1.5e9;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'string', default: join(tmpdir(), 'tsxbstream-fuzz') },
    replay: { type: 'string' },
  },
});

interface Message {
  cases: number;
  failures: number;
}

/** @returns how many cases were run and how many of them failed */
function watch(seed: string, seconds: number): Promise<{ cases: number; failures: number }> {
  const worker = fileURLToPath(new URL('./work.ts', import.meta.url));
  // Whatever becomes of the process, the archive that it worked on is left here.
  const root = fs.mkdtempSync(join(fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'tsxbstream-fuzz-'));
  const job = JSON.stringify({ root, seed: Number(seed), seconds, keep: values.keep, replay: values.replay });
  const child = spawn(process.execPath, ['--import', TYPESCRIPT, '--max-old-space-size=1024', worker, job], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const done: Message = { cases: 0, failures: 0 };
  let isEnded = false;
  let heardAt = Date.now();
  child.on('message', (message: Message) => {
    heardAt = Date.now();
    Object.assign(done, message);
  });
  const end = (why: string): void => {
    isEnded = true;
    done.failures += 1;
    const archive = join(root, 'archive');
    const kept = join(values.keep, `${why}-${seed}-${done.cases}.xbstream`);
    if (fs.existsSync(archive)) fs.copyFileSync(archive, kept);
    console.log(`${why} at case ${done.cases} of seed ${seed}, kept as ${kept}`);
    child.kill('SIGKILL');
  };
  const timer = setInterval(() => {
    if (Date.now() - heardAt > HANG_MS) end('hang');
    else if (rssOf(child.pid!) > RSS_BYTES_MAX) end('memory');
  }, 1000);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearInterval(timer);
      if (code !== 0 && !isEnded) end('crash');
      fs.rmSync(root, { recursive: true, force: true });
      resolve(done);
    });
  });
}

function rssOf(pid: number): number {
  try {
    return Number(/VmRSS:\s*(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

fs.mkdirSync(values.keep, { recursive: true });
const seeds = values.seed.split(',');
let cases = 0;
let failures = 0;
const startedAt = Date.now();
for (const seed of seeds) {
  const done = await watch(seed, Number(values.seconds) / seeds.length);
  cases += done.cases;
  failures += done.failures;
}
const perSecond = (cases / ((Date.now() - startedAt) / 1000)).toFixed(0);
console.log(`${cases} cases, ${perSecond} a second, ${failures} failed${failures > 0 ? `: see ${values.keep}` : ''}`);
process.exitCode = failures === 0 && cases > 0 ? 0 : 1;
