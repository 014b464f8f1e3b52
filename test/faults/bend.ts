/** Runs the program with one of its calls bent, and looks at what is left. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, type RunResult, type Stdin } from '../helpers/cli.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { describeContent, readTree, treeOf, writeTree, type Tree } from '../helpers/tree.js';
import { KEY, type Files, type Places, type Scenario } from './scenarios.js';

const BENT_CALLS = fileURLToPath(new URL('./bent-calls.js', import.meta.url));
/** Enough for a thread to work in, and soon used up. */
const LITTLE_MEMORY = '--max-old-space-size=60';

export type Refusal = 'EIO' | 'ENOSPC' | 'EINTR' | 'EAGAIN' | 'EDQUOT' | 'ESTALE';
/** What befalls a call: see `bent-calls.js`. */
export type Way = Refusal | 'short' | 'stall' | 'stop' | 'kill' | 'exit' | 'throw' | 'memory' | 'forbid';
/** What is called: a pipe is read by Node itself; messages of threads are sent and heard. */
export type Kind = 'read' | 'write' | 'other' | 'pipe' | 'sent' | 'heard';

const REFUSALS: readonly Way[] = ['EIO', 'ENOSPC', 'EINTR', 'EAGAIN', 'EDQUOT', 'ESTALE'];
const ENDS: readonly Way[] = ['stall', 'stop', 'kill', 'exit', 'throw', 'memory'];

/** All that can befall a call. */
export function waysOf(kind: Kind): readonly Way[] {
  const isData = kind === 'read' || kind === 'write';
  const isMessage = kind === 'sent' || kind === 'heard';
  return [...(isMessage ? [] : REFUSALS), ...(isData ? (['short'] as const) : []), ...ENDS];
}

/** A call that was bent, as it says itself. */
export interface Bent {
  number: number;
  kind: Kind;
  name: string;
  thread: string;
  object: string;
}

/** What a run has to live with. */
export interface Hardship {
  name: string;
  wrapper?: readonly string[];
  /** Makes the target what it is to be, and takes that away again for the run that goes on. */
  onTarget?: (target: string) => { relieve: () => void; release: () => void };
  /** Exit code 1 will do. */
  mayFail: boolean;
  /** And so will this signal. */
  signals?: readonly NodeJS.Signals[];
  /** What a run that fails says; a file, unless something else is said. */
  says?: RegExp;
}

/** A scenario with its files in place, and what a run that nothing befalls makes of it. */
export class Bench {
  readonly #scenario: Scenario;
  readonly #directory: string;
  readonly #archive: string;
  readonly #key: string;
  #runs = 0;
  #sound: Tree = {};

  /** @param directory for all that it needs; removed after the test */
  constructor(context: Cleanup, scenario: Scenario, directory = tempDir(context)) {
    this.#scenario = scenario;
    this.#directory = directory;
    this.#archive = join(this.#directory, 'archive');
    this.#key = join(this.#directory, 'key');
    fs.chmodSync(directory, 0o755);
    fs.writeFileSync(this.#archive, scenario.archive);
    fs.writeFileSync(this.#key, KEY.bytes);
  }

  /** What a run calls when nothing befalls it. */
  async sound(): Promise<readonly Kind[]> {
    const { files, code = 0, name, words } = this.#scenario;
    const room = this.#room();
    const result = await this.#run(room, words, { env: bending(room, 0, 'stall') });
    assert.equal(result.code, code, `${name}: ${result.stderr}`);
    this.#sound = readTree(room.target);
    if (files !== undefined) assert.deepEqual(withoutPartials(this.#sound), treeOf(files), name);
    const calls = linesOf(`${room.log}.calls`) as Kind[];
    room.clear();
    return calls;
  }

  /**
   * Has something befall the n-th call.
   *
   * @returns what was bent; undefined where there was no such call, or nothing of the kind can befall it
   * @throws AssertionError when what comes of it is not as it must be
   */
  async bend(number: number, way: Way): Promise<Bent | undefined> {
    const room = this.#room();
    try {
      const result = await this.#run(room, this.#scenario.words, { env: bending(room, number, way) });
      const [bent] = linesOf(`${room.log}.bent`).map((line) => JSON.parse(line) as Bent);
      if (bent === undefined) return undefined;
      const told = `${this.#scenario.name}, ${way} at ${JSON.stringify(bent)}`;
      await this.#judge(room, result, allowanceOf(way), told, () => room.permit());
      return bent;
    } finally {
      room.clear();
    }
  }

  /** Runs it under a hardship. @throws AssertionError when what comes of it is not as it must be */
  async endure(hardship: Hardship): Promise<RunResult> {
    const { name, wrapper = [], onTarget, mayFail, signals = [], says } = hardship;
    const room = this.#room();
    const place = onTarget?.(room.target);
    try {
      room.furnish();
      const result = await this.#run(room, this.#scenario.words, { wrapper });
      const allowance: Allowance = { mayFail, signals, says: says ?? 'a file' };
      await this.#judge(room, result, allowance, `${this.#scenario.name}, ${name}`, place?.relieve);
      return result;
    } finally {
      place?.release();
      room.clear();
    }
  }

  /** What has become of a run, and of one that goes on where it stopped. */
  async #judge(room: Room, result: RunResult, allowance: Allowance, name: string, relieve?: () => void): Promise<void> {
    const told = `${name}\n${result.stderr}`;
    const isDone = this.#assertEnded(result, allowance, told);
    room.assertNothingOutside(told);
    this.#assertNames(room.target, isDone, told);
    relieve?.();
    if (!isDone) await this.#goOn(room, told);
  }

  /** @returns whether the run has done all it had to */
  #assertEnded({ code, signal, stderr }: RunResult, allowance: Allowance, told: string): boolean {
    const { code: usual = 0 } = this.#scenario;
    const { mayFail, signals, says } = allowance;
    if (signal !== null) {
      assert.ok(signals.includes(signal), `${signal}: ${told}`);
      return false;
    }
    if (code === usual) return true;
    const [first] = stderr.split('\n');
    // A key that cannot be read is a key that is missing.
    const isKey = code === 5 && first!.includes(this.#key);
    assert.ok(mayFail && (code === 1 || isKey), `exit code ${code}: ${told}`);
    if (says instanceof RegExp) {
      assert.match(stderr, says, told);
      return false;
    }
    // A stack trace, or a request to report it, is never an answer.
    assert.doesNotMatch(stderr, /\bat .*\.js:\d+|\bbug\b/i, told);
    assert.ok(
      this.#names.some((name) => first!.includes(name)),
      `names no file: ${told}`,
    );
    return false;
  }

  get #names(): string[] {
    const { files, meanwhile, before } = this.#scenario;
    const paths = Object.keys({ ...files, ...meanwhile, ...before, ...this.#sound });
    const directories = paths.filter((path) => path.includes('/')).map((path) => path.slice(0, path.indexOf('/')));
    const named = directories.flatMap((name) => [`${name}/`, `${name}:`]);
    return [this.#archive, this.#key, this.#directory, 'stdin', ...paths, ...named];
  }

  /** What has its final name is whole. */
  #assertNames(target: string, isDone: boolean, told: string): void {
    const found = readTree(target);
    if (isDone) {
      assert.deepEqual(withoutStale(found, this.#scenario), withoutStale(this.#sound, this.#scenario), told);
      return;
    }
    const { meanwhile = {}, before = {}, madeOf = {} } = this.#scenario;
    for (const [path, from] of Object.entries(madeOf))
      assert.ok(path in found || from in found, `${path} is lost: ${told}`);
    const other = treeOf(meanwhile);
    const earlier = treeOf(before);
    for (const [path, content] of Object.entries(withoutPartials(found))) {
      if (path.endsWith('/')) continue;
      const allowed = [this.#sound[path], other[path], earlier[path]];
      assert.ok(allowed.includes(content), `${path} holds ${content}, not ${allowed.join(' or ')}: ${told}`);
    }
  }

  async #goOn(room: Room, told: string): Promise<void> {
    const { code = 0, again } = this.#scenario;
    const result = await this.#run(room, again);
    assert.equal(result.code, code, `the second run: ${result.stderr}\nafter ${told}`);
    assert.deepEqual(
      withoutPartials(readTree(room.target)),
      withoutPartials(this.#sound),
      `the second run, after ${told}`,
    );
  }

  #room(): Room {
    this.#runs += 1;
    return new Room(join(this.#directory, `run${this.#runs}`), this.#scenario);
  }

  #run(
    room: Room,
    words: Scenario['words'],
    { env = {}, wrapper = [] }: { env?: NodeJS.ProcessEnv; wrapper?: readonly string[] } = {},
  ): Promise<RunResult> {
    const { archive, stdin, wrapper: own = [] } = this.#scenario;
    const places: Places = { archive: this.#archive, key: this.#key, target: room.target };
    const inputs: Record<Scenario['stdin'], Stdin | undefined> = {
      file: { kind: 'file', path: this.#archive },
      pipe: { kind: 'pipe', bytes: archive },
      path: undefined,
    };
    const input = inputs[stdin];
    room.furnish();
    return run(words(places), {
      ...{ cwd: room.cwd, env, wrapper: [...own, ...wrapper] },
      ...(input === undefined ? {} : { stdin: input }),
    });
  }
}

/** What may become of a run. */
interface Allowance {
  mayFail: boolean;
  signals: readonly NodeJS.Signals[];
  says: RegExp | 'a file';
}

function allowanceOf(way: Way): Allowance {
  const signals = ({ stop: ['SIGTERM'], kill: ['SIGKILL'] } as const)[way as string] ?? [];
  // What lasts, or comes in parts, changes nothing.
  const mayFail = way !== 'short' && way !== 'stall' && way !== 'stop';
  return { mayFail, signals, says: REFUSALS.includes(way) || way === 'forbid' ? 'a file' : /tsxbstream: / };
}

/** Has a run bend one of its calls. */
function bending(room: Room, number: number, way: Way): NodeJS.ProcessEnv {
  const memory = way === 'memory' ? ` ${LITTLE_MEMORY}` : '';
  return {
    NODE_OPTIONS: `--import=${BENT_CALLS}${memory}`,
    BEND: JSON.stringify({ at: number, how: way, log: room.log, target: room.target }),
  };
}

/** A directory for one run: where it stands, where it may write, and what it says it was. */
class Room {
  readonly target: string;
  readonly cwd: string;
  readonly log: string;
  readonly #path: string;
  readonly #before: Files;
  readonly #uid: number | undefined;
  #isFurnished = false;

  constructor(path: string, { before = {}, uid }: Scenario) {
    this.#path = path;
    this.#before = before;
    this.#uid = uid;
    this.target = join(path, 'target');
    this.cwd = join(path, 'cwd');
    this.log = join(path, 'log');
    for (const directory of [path, this.target, this.cwd]) fs.mkdirSync(directory);
  }

  /** Puts into the target what it holds before. */
  furnish(): void {
    if (this.#isFurnished) return;
    this.#isFurnished = true;
    writeTree(this.target, this.#before);
    const uid = this.#uid;
    if (uid !== undefined) for (const path of [this.#path, ...allIn(this.#path)]) fs.chownSync(path, uid, uid);
  }

  /** Everybody may write to the target (again). */
  permit(): void {
    for (const path of [this.target, ...allIn(this.target)])
      if (fs.statSync(path).isDirectory()) fs.chmodSync(path, 0o755);
  }

  assertNothingOutside(told: string): void {
    const log = basename(this.log);
    const names = fs.readdirSync(this.#path).filter((name) => !name.startsWith(`${log}.`));
    assert.deepEqual([names.sort(), fs.readdirSync(this.cwd)], [['cwd', 'target'], []], told);
  }

  clear(): void {
    fs.rmSync(this.#path, { recursive: true, force: true });
  }
}

function allIn(directory: string): string[] {
  return fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name));
}

function linesOf(path: string): string[] {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
}

function isPartial(path: string): boolean {
  return basename(path).startsWith('.');
}

function withoutPartials(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !isPartial(path)));
}

/** What an earlier run has left need not go away, where it was hindered. */
function withoutStale(tree: Tree, { before = {} }: Scenario): Tree {
  const stale = Object.entries(before).filter(([path]) => isPartial(path));
  const known = new Map(stale.map(([path, content]) => [path, describeContent(Buffer.from(content))]));
  return Object.fromEntries(Object.entries(tree).filter(([path, content]) => known.get(path) !== content));
}
