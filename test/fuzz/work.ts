/** The process that makes cases, runs them, and keeps what fails. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Dice } from '../helpers/damaged-archives.js';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { Corpus, type KeyName } from './corpus.js';
import { Judge } from './judge.js';
import { makeCase, type Case, type Original } from './mutate.js';
import { SEQUENCES } from './sequences.js';
import { shorter } from './shorten.js';
import { CALLS, WAYS, type Place, type Way } from './ways.js';

interface Job {
  /** An empty directory. */
  root: string;
  seed: number;
  seconds: number;
  keep: string;
  /** An archive that was kept: all ways are gone with it. */
  replay?: string;
}

const job = JSON.parse(process.argv[2]!) as Job;
/** Of so many cases one goes through the program itself. */
const CALLED_EVERY = 100;
/** Ways in this process that each case goes, beside the first one. */
const WAYS_A_CASE = 1;
/** More failures than this are of one kind, mostly. */
const FAILURES_MAX = 20;

const { root } = job;
/** Told with each archive that is looked at, so that one that hangs is noticed. */
const done = { cases: 0, failures: 0 };
const inside = join(root, 'inside');
const place: Place = {
  archive: join(root, 'archive'),
  pipe: join(root, 'pipe'),
  target: join(inside, 'target'),
  tar: join(root, 'tar'),
  fed: Promise.resolve(),
};
const escape = join(root, 'escaped');
execFileSync('mkfifo', [place.pipe]);

let last: { bytes: Buffer; judge: Judge } | undefined;

/** The ways of a case are judged by the same. */
function judgeOf(bytes: Buffer, key: KeyName, original: Original | undefined): Judge {
  if (last?.bytes !== bytes || job.replay !== undefined)
    last = { bytes, judge: new Judge(bytes, FIXTURE_KEYS[key]!, original) };
  return last.judge;
}

/** Goes one way. @returns what is wrong */
async function faultOf(
  way: Way,
  { bytes, key, original, wrapped }: Pick<Case, 'bytes' | 'key' | 'original' | 'wrapped'>,
  seed: number,
): Promise<string | undefined> {
  process.send?.(done);
  const judge = judgeOf(bytes, key, original);
  if (judge.isLarge && (way.decodes || !FOR_LARGE.has(way.gives))) return undefined;
  fs.rmSync(inside, { recursive: true, force: true });
  fs.rmSync(place.tar, { force: true });
  fs.mkdirSync(place.target, { recursive: true });
  const given = wrapped?.bytes ?? bytes;
  fs.writeFileSync(place.archive, given);
  try {
    const isWrapped = wrapped !== undefined;
    const result = await way.go({ bytes: given, isWrapped, key, place, dice: new Dice(seed) });
    await place.fed;
    const others = [...fs.readdirSync(inside), ...fs.readdirSync(root)].filter((name) => !KNOWN.has(name));
    if (others.length > 0) return `outside the target: ${others.join()}`;
    return await judge.fault(way, result, wrapped?.isDamaged);
  } catch (error) {
    return (error as Error).stack ?? String(error);
  }
}

const ALL = { inProcess: WAYS, calls: [...CALLS, ...SEQUENCES] };
/** Ways of what is wrapped: from a pipe, as which it is judged. */
const isPiped = ({ name }: Way): boolean => /, pipe\b/.test(name);
const AS_IT_COMES = { inProcess: WAYS.filter(isPiped), calls: CALLS.filter(isPiped) };

/** Ways of an archive with large files, which are holes in the main. */
const FOR_LARGE = new Set<Way['gives']>(['directory', 'sizes', 'nothing']);
/** What lies around the target. */
const KNOWN = new Set(['archive', 'pipe', 'target', 'tar', 'inside']);

async function keep(way: Way, found: Case, seed: number, fault: string): Promise<void> {
  // What a damaged archive may give is known by what it was before.
  const small =
    found.original !== undefined || found.wrapped !== undefined
      ? found.bytes
      : await shorter(found.bytes, async (bytes) => {
          const again = await faultOf(way, { ...found, bytes }, seed);
          return again !== undefined && kindOf(again) === kindOf(fault);
        });
  const name = join(job.keep, `${job.seed}-${seed}-${way.name.replace(/\W+/g, '-')}`);
  fs.writeFileSync(`${name}.xbstream`, found.wrapped?.bytes ?? small);
  if (found.wrapped !== undefined) fs.writeFileSync(`${name}.xbstream${INSIDE}`, small);
  const last = await faultOf(way, { ...found, bytes: small }, seed);
  if (found.original !== undefined) fs.writeFileSync(`${name}.original.xbstream`, found.original.bytes);
  const text = [
    `${way.name} (${found.key}): ${last ?? fault}`,
    ...found.story,
    `${found.bytes.length} bytes made ${small.length}`,
  ];
  fs.writeFileSync(`${name}.txt`, `${text.join('\n')}\n`);
  console.log(`case ${seed}: ${text.slice(0, 1).join()}\n  kept as ${name}.xbstream`);
}

/** What a fault says, without what differs from one archive to the next. */
function kindOf(fault: string): string {
  return fault.split(/["\n:0-9]/)[0]!;
}

/** How the archive is called that is inside of one that was kept. */
const INSIDE = '.inside';

async function replay(file: string): Promise<void> {
  const kept = fs.readFileSync(file);
  const isWrapped = fs.existsSync(file + INSIDE);
  const bytes = isWrapped ? fs.readFileSync(file + INSIDE) : kept;
  const wrapped = isWrapped ? { bytes: kept, isDamaged: true } : undefined;
  done.cases = 1;
  for (const key of ['AES256', 'AES192', 'AES128'] as const satisfies KeyName[]) {
    for (const way of [...WAYS, ...ALL.calls].filter((each) => !isWrapped || isPiped(each))) {
      const fault = await faultOf(way, { bytes, wrapped, key, original: undefined }, 1);
      if (fault === undefined) continue;
      done.failures += 1;
      console.log(`${way.name} (${key}): ${fault}`);
    }
  }
}

async function fuzz(): Promise<void> {
  const corpus = await Corpus.load(job.seed);
  const until = Date.now() + job.seconds * 1000;
  for (; Date.now() < until && done.failures < FAILURES_MAX; done.cases += 1) {
    const seed = job.seed * 1_000_000 + done.cases;
    const dice = new Dice(seed);
    const found = await makeCase(corpus, dice, escape);
    const { inProcess, calls } = found.wrapped === undefined ? ALL : AS_IT_COMES;
    const ways = [inProcess[0]!, ...Array.from({ length: WAYS_A_CASE }, () => dice.pick(inProcess))];
    if (done.cases % CALLED_EVERY === 0) ways.push(dice.pick(calls));
    for (const way of ways) {
      const fault = await faultOf(way, found, seed);
      if (fault === undefined) continue;
      done.failures += 1;
      await keep(way, found, seed, fault);
      break;
    }
  }
}

if (job.replay === undefined) await fuzz();
else await replay(job.replay);
process.send?.(done);
process.disconnect();
