/**
 * Measures `tsxbstream` against another program that reads and writes the same archives, by default `mbstream`.
 *
 *   npm run bench -- [--rounds N] [--only NAME,NAME] [--save] [--ours COMMAND] [--peer COMMAND] [--innodb FOLDER]
 *                    [--base FOLDER] [--node PATH] [--base-node PATH] [--busy] [--targets FOLDER]
 *
 * No figure makes it fail; a command that fails does, and a tree that is not what was packed.
 */
/* global AbortController */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeEntries } from './folder.js';
import { writeArchive } from './generate.js';
import { describeMachine, describeVersions } from './machine.js';
import { checkMeasuringTools, measure } from './measure.js';
import { toMarkdown } from './report.js';
import { againstBase, makeScenarios } from './scenarios.js';
import { checkFolder, treeOfEntries } from './tree.js';
import { Workspace } from './workspace.js';

/** @typedef {import('./scenarios.js').Scenario} Scenario */
/** @typedef {import('./scenarios.js').ArchiveRecipe} ArchiveRecipe */
/** @typedef {import('./report.js').Result} Result */
/** @typedef {{ path: string, bytes: number, tree: import('./tree.js').Tree }} Archive */

const LAUNCHER = fileURLToPath(new URL('../bin/tsxbstream.js', import.meta.url));
const BUILT = fileURLToPath(new URL('../dist/index.js', import.meta.url));
const RESULTS = fileURLToPath(new URL('results/', import.meta.url));
/** What headers add to the content: generous, it only decides where there is room. */
const BYTES_PER_ENTRY = 200;
const LEAST_ROUNDS = 5;

/**
 * @typedef {object} Options
 * @property {number} rounds
 * @property {string[] | undefined} only
 * @property {boolean} save
 * @property {string[]} ours
 * @property {string[]} peer
 * @property {string[] | undefined} base an older build of ours, which takes the peer's place
 * @property {string | undefined} innodb
 * @property {boolean} busy
 * @property {string | undefined} targets where trees are unpacked; in memory where that is not said
 */

/** @returns {Options} */
function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: String(LEAST_ROUNDS) },
      only: { type: 'string' },
      save: { type: 'boolean', default: false },
      ours: { type: 'string' },
      peer: { type: 'string', default: 'mbstream' },
      innodb: { type: 'string' },
      base: { type: 'string' },
      node: { type: 'string', default: process.execPath },
      'base-node': { type: 'string' },
      busy: { type: 'boolean', default: false },
      targets: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error('--rounds wants a whole number of at least 1');
  if (values.save && rounds < LEAST_ROUNDS) throw new Error(`--save wants at least ${LEAST_ROUNDS} rounds`);
  if (values.ours === undefined && !(existsSync(LAUNCHER) && existsSync(BUILT))) {
    throw new Error('tsxbstream is not built: npm run build');
  }
  return {
    rounds,
    only: values.only?.split(','),
    save: values.save,
    ours: values.ours?.split(' ') ?? [values.node, LAUNCHER],
    peer: values.peer.split(' '),
    base: values.base && [values['base-node'] ?? values.node, path.join(values.base, 'bin', 'tsxbstream.js')],
    innodb: values.innodb,
    busy: values.busy,
    targets: values.targets,
  };
}

/** @param {Options} options */
function chooseScenarios({ only, base, ...programs }) {
  const all = base === undefined ? makeScenarios(programs) : againstBase(programs, base);
  const unknown = only?.filter((name) => !all.some((scenario) => scenario.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`no scenario ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
  }
  return all.filter(({ name }) => only?.includes(name) ?? true);
}

/** Archives, each made when it is first needed and removed when it is no longer. */
class Archives {
  #workspace;
  #signal;
  /** @type {Map<ArchiveRecipe, Archive>} */
  #made = new Map();
  #count = 0;

  /**
   * @param {Workspace} workspace
   * @param {AbortSignal} signal
   */
  constructor(workspace, signal) {
    this.#workspace = workspace;
    this.#signal = signal;
  }

  /** @param {ArchiveRecipe} recipe */
  async get(recipe) {
    const made = this.#made.get(recipe) ?? (await this.#make(recipe));
    this.#made.set(recipe, made);
    return made;
  }

  /** @param {(ArchiveRecipe | undefined)[]} recipes those that are still needed */
  keepOnly(recipes) {
    for (const [recipe, archive] of this.#made) {
      if (recipes.includes(recipe)) continue;
      rmSync(archive.path);
      this.#made.delete(recipe);
    }
  }

  /**
   * @param {ArchiveRecipe} recipe
   * @returns {Promise<Archive>}
   */
  async #make(recipe) {
    const entries = recipe.entries();
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const archiveBytes = bytes * 1.01 + entries.length * BYTES_PER_ENTRY;
    // The target comes first where memory is short: an archive on disk is in the page cache after the warm-up.
    const folder = this.#workspace.folderFor(archiveBytes * (recipe.encoding ? 2 : 1), bytes);
    const archivePath = path.join(folder, `archive-${++this.#count}.xbs`);
    const encoded = path.join(folder, 'encoded');
    const packed = recipe.encoding ? encodeEntries(entries, recipe.encoding, encoded, this.#signal) : entries;
    await writeArchive(archivePath, packed, { ...recipe, signal: this.#signal });
    rmSync(encoded, { recursive: true, force: true });
    return { path: archivePath, bytes, tree: await treeOfEntries(entries, this.#signal) };
  }
}

/**
 * @param {Scenario} scenario
 * @param {object} context
 * @param {number} context.rounds
 * @param {Workspace} context.workspace
 * @param {Workspace} context.targets
 * @param {Archives} context.archives
 * @param {AbortSignal} context.signal
 * @param {Result} result takes the figures
 */
async function runScenario(scenario, { rounds, targets, archives, signal }, result) {
  say(`${scenario.name}: preparing`);
  const { notes } = result;
  const archive = scenario.archive && (await archives.get(scenario.archive));
  const peerArchive = scenario.peerArchive ? await archives.get(scenario.peerArchive) : archive;
  const target = path.join(targets.folderFor((archive?.bytes ?? 0) * (scenario.targetCopies ?? 1)), 'target');
  notes.push(...(targets.isOnDisk || target.startsWith('/dev/shm/') ? [] : ['not on tmpfs: memory is short']));

  /**
   * @param {'ours' | 'peer'} who
   * @param {{ isChecked: boolean }} options
   */
  const runOnce = async (who, { isChecked }) => {
    const source = who === 'ours' ? archive : peerArchive;
    try {
      mkdirSync(target);
      const input = source && { kind: scenario.input ?? 'file', path: source.path };
      const given = { ...(input && { input }), signal };
      if (scenario.before) await measure(scenario.before(target), given);
      const figures = await measure(scenario[who](target), scenario.before ? { signal } : given);
      if (isChecked && scenario.after) await measure(scenario.after(target), { signal });
      if (isChecked && source && scenario.isTreeMade !== false) await checkFolder(target, source.tree, signal);
      return figures;
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  };

  await runOnce('ours', { isChecked: true });
  const peerProblem = await (async () => {
    const neededBytes = (scenario.peerMemoryBytes ?? 0) + (archive?.bytes ?? 0);
    if (scenario.peerMemoryBytes && neededBytes > process.availableMemory()) return 'memory is short';
    try {
      await runOnce('peer', { isChecked: true });
    } catch (error) {
      signal.throwIfAborted();
      if (!scenario.peerMayFail || !(error instanceof Error)) throw error;
      return error.message.replaceAll(target, 'TARGET').replaceAll('\n', ' ');
    }
    return undefined;
  })();
  const hasPeer = peerProblem === undefined;
  if (!hasPeer) notes.push(`peer left out: ${peerProblem}`);

  const count = Math.min(Math.max(rounds, scenario.leastRounds ?? 0), scenario.mostRounds ?? Infinity);
  for (let round = 1; round <= count; round++) {
    say(`${scenario.name}: round ${round} of ${count}`);
    // Who goes first alternates too, so that a machine that slows down or speeds up favours neither.
    const peerFirst = hasPeer && round % 2 === 0 ? await runOnce('peer', { isChecked: false }) : undefined;
    const ours = await runOnce('ours', { isChecked: false });
    const peer = hasPeer ? (peerFirst ?? (await runOnce('peer', { isChecked: false }))) : undefined;
    result.rounds.push({ ours, ...(peer && { peer }) });
  }
}

/**
 * @param {Scenario[]} scenarios
 * @param {Options} options
 * @param {AbortSignal} signal
 * @returns {Promise<Result[]>}
 */
async function runAll(scenarios, { rounds, busy, targets: folder }, signal) {
  const workspace = new Workspace();
  const targets = folder === undefined ? workspace : new Workspace(folder);
  const spinner = busy ? spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }) : undefined;
  const archives = new Archives(workspace, signal);
  /** @type {Result[]} */
  const results = [];
  try {
    for (const [index, scenario] of scenarios.entries()) {
      const { name, title, goals } = scenario;
      /** @type {Result} */
      const result = { name, title, goals, notes: [], rounds: [] };
      results.push(result);
      try {
        await runScenario(scenario, { rounds, targets, archives, signal }, result);
      } catch (error) {
        signal.throwIfAborted();
        result.failure = error instanceof Error ? error.message : String(error);
        say(`${name}: ${result.failure}`);
      }
      archives.keepOnly(scenarios.slice(index + 1).flatMap((later) => [later.archive, later.peerArchive]));
    }
  } finally {
    spinner?.kill('SIGKILL');
    workspace.remove();
    targets.remove();
  }
  return results;
}

/** @param {string} text */
function say(text) {
  console.error(`bench: ${text}`);
}

/**
 * @param {Result[]} results
 * @param {Options} options
 * @param {ReturnType<typeof describeMachine>} machine
 */
function report(results, { ours, peer, base, save, busy, targets }, machine) {
  const versions = describeVersions(ours, base ?? peer);
  const date = new Date().toISOString();
  const markdown = [
    `# ${date.slice(0, 10)}, ${machine.cpu}`,
    '',
    `${machine.cores} cores, ${Math.round(machine.memoryBytes / 1e9)} GB, ${machine.kernel}, load ${machine.loadAverage} at the start.`,
    ...(busy ? ['One core was kept busy by another process.'] : []),
    ...(targets === undefined ? [] : [`Targets on ${fileSystemOf(targets)}, not on tmpfs.`]),
    `Node ${versions.node}, ours at ${versions.commit}, peer: ${versions.peer} (${versions.peerVersion}).`,
    '',
    toMarkdown(results),
    '',
  ].join('\n');
  console.log(markdown);
  if (!save) return;
  mkdirSync(RESULTS, { recursive: true });
  const file = unusedName(`${date.slice(0, 10)}-${machine.cpu.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`);
  writeFileSync(`${file}.md`, markdown);
  const figures = JSON.stringify({ date, machine, versions, results }, null, 2);
  // Where this checkout lies is nobody's business.
  const launchers = [LAUNCHER, base?.[1]].filter((launcher) => launcher !== undefined);
  const nameless = launchers.reduce((text, launcher) => text.replaceAll(launcher, 'bin/tsxbstream.js'), figures);
  writeFileSync(`${file}.json`, `${nameless}\n`);
  say(`saved as ${file}.md and .json`);
}

/** @param {string} folder */
function fileSystemOf(folder) {
  return execFileSync('df', ['--output=fstype', folder], { encoding: 'utf8' }).split('\n')[1];
}

/** @param {string} name */
function unusedName(name) {
  for (let number = 1; ; number++) {
    const file = path.join(RESULTS, number === 1 ? name : `${name}-${number}`);
    if (!existsSync(`${file}.md`)) return file;
  }
}

const interruption = new AbortController();
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
for (const name of SIGNALS) process.on(name, () => interruption.abort(name));

try {
  const options = readOptions();
  checkMeasuringTools();
  const machine = describeMachine();
  const results = await runAll(chooseScenarios(options), options, interruption.signal);
  report(results, options, machine);
  if (results.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
} catch (error) {
  if (interruption.signal.aborted) {
    // Everything is cleaned up: now die of the signal, as without a handler.
    for (const name of SIGNALS) process.removeAllListeners(name);
    process.kill(process.pid, interruption.signal.reason);
  } else {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
