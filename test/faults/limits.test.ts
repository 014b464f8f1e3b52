/** A system that gives less than a run would like: few descriptors, little memory, no room, no rights, nothing to speak to. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { hasProgram, isRoot, sampled, SOAK } from '../helpers/programs.js';
import { Bench, type Hardship } from './bend.js';
import { SCENARIOS, type Scenario } from './scenarios.js';

function shell(prelude: string): readonly string[] {
  return ['bash', '-c', `${prelude}; exec "$@"`, 'bash'];
}

function mount(target: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', target]);
}

/** A target on a file system of its own, which is given more for the run that goes on. */
function onSmallDisk(options: string, more: string): NonNullable<Hardship['onTarget']> {
  return (target) => {
    mount(target, options);
    return {
      relieve: () => execFileSync('mount', ['-o', `remount,${more}`, target]),
      release: () => execFileSync('umount', [target]),
    };
  };
}

/** What is larger has no room on the disk that a run goes on with. */
const LARGE_BYTES = 30e6;

const FEW_DESCRIPTORS: Hardship = { name: 'ulimit -n 64', wrapper: shell('ulimit -n 64'), mayFail: false };
const CLOSED = ['<&-', '>&-', '2>&-', '>&- 2>&-'].map((closed): Hardship => ({
  ...{ name: `closed: ${closed}`, wrapper: shell(`exec ${closed}`), mayFail: true },
  says: /^/,
}));
const NO_ROOM = [60, 200, 500, 900].map((kib): Hardship => ({
  ...{ name: `${kib} KiB of room`, mayFail: true },
  onTarget: onSmallDisk(`size=${kib}k`, 'size=64m'),
}));
const NO_INODES = [2, 4, 6, 9, 15].map((inodes): Hardship => ({
  ...{ name: `${inodes} inodes`, mayFail: true },
  onTarget: onSmallDisk(`size=64m,nr_inodes=${inodes}`, 'nr_inodes=1000'),
}));
/** What is left of V8 when the system gives it no more is a signal. */
const LITTLE_SPACE = [4_000_000, 2_000_000, 1_500_000, 1_200_000, 1_000_000, 800_000, 600_000].map((kib): Hardship => ({
  ...{ name: `ulimit -v ${kib}`, wrapper: shell(`ulimit -c 0 -v ${kib}`), mayFail: true, says: /./ },
  signals: ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 'SIGBUS'],
}));

async function endure(context: TestContext, scenario: Scenario, hardships: readonly Hardship[]): Promise<void> {
  const bench = new Bench(context, scenario);
  await bench.sound();
  for (const hardship of hardships) await bench.endure(hardship);
}

/** In CI one of them for each scenario. */
function some(index: number, hardships: readonly Hardship[]): readonly Hardship[] {
  return sampled(hardships, hardships.length, index % hardships.length);
}

describe('a system that gives less', { concurrency: 2 }, () => {
  for (const [index, scenario] of sampled([...SCENARIOS.entries()], 8, 2)) {
    test(`${scenario.name}: descriptors, standard streams, memory`, async (context) => {
      const closed = CLOSED.filter(({ name }) => scenario.stdin === 'path' || !name.includes('<'));
      const hardships = [...some(index, [FEW_DESCRIPTORS, ...closed]), ...some(index, LITTLE_SPACE)];
      await endure(context, scenario, hardships);
    });
  }

  // What is there before takes room, too; and a file of 65 MiB more than there is of it.
  const small = SCENARIOS.filter(({ before, archive }) => before === undefined && archive.length < LARGE_BYTES);
  for (const [index, scenario] of sampled([...small.entries()], 6, 1)) {
    test(`${scenario.name}: room`, async (context) => {
      if (!isRoot(context)) return;
      await endure(context, scenario, some(index, [...NO_ROOM, ...NO_INODES]));
    });
  }
});

const [plain] = SCENARIOS;

test('a target that is read-only', async (context) => {
  if (!isRoot(context)) return;
  const readOnly: Hardship = {
    ...{ name: 'read-only', mayFail: true },
    onTarget: onSmallDisk('size=64m,ro', 'rw'),
  };
  await endure(context, plain!, [readOnly]);
});

test('a target that loses its permissions', async (context) => {
  if (!isRoot(context) || !hasProgram(context, 'setpriv', 'util-linux')) return;
  const scenarios = [plain!, ...SCENARIOS.filter(({ name }) => ['small files', 'create'].includes(name))];
  for (const scenario of sampled(scenarios, 3)) {
    const bench = new Bench(context, asSomebody(scenario));
    const calls = await bench.sound();
    const step = SOAK ? 1 : Math.ceil(calls.length / 2);
    for (let number = 1; number <= calls.length; number += step) await bench.bend(number, 'forbid');
  }
});

/** Root may always; what belongs to root must be there to be read all the same. */
function asSomebody(scenario: Scenario): Scenario {
  const ids = ['--reuid=12345', '--regid=12345', '--clear-groups'];
  const capabilities = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  return { ...scenario, uid: 12345, wrapper: ['setpriv', ...ids, ...capabilities] };
}

/** Where its control groups are, of the first or the second version; undefined where they cannot be made. */
function makeGroup(bytes: number): { tasks: string; remove: () => void } | undefined {
  for (const [mounted, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ] as const) {
    const group = join(mounted, `tsxbstream-test-${process.pid}`);
    try {
      fs.mkdirSync(group);
      fs.writeFileSync(join(group, limit), String(bytes));
      return { tasks: join(group, 'cgroup.procs'), remove: () => fs.rmdirSync(group) };
    } catch {
      if (fs.existsSync(group)) fs.rmdirSync(group);
    }
  }
  return undefined;
}

if (SOAK) {
  test('a container with 96 MB', async (context) => {
    if (!isRoot(context)) return;
    const group = makeGroup(96e6);
    if (group === undefined) {
      context.skip('this system makes no control groups');
      return;
    }
    context.after(group.remove);
    const narrow: Hardship = {
      ...{ name: '96 MB', wrapper: shell(`echo $$ > ${group.tasks}`), mayFail: false },
    };
    for (const scenario of SCENARIOS) {
      // Files in memory would count.
      const directory = fs.mkdtempSync(join(tmpdir(), 'tsxbstream-test-'));
      context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
      const bench = new Bench(context, scenario, directory);
      await bench.sound();
      await bench.endure(narrow);
    }
  });
}
