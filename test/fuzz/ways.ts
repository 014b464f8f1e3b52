/** The ways in which an archive goes through the program: in this process, where threads take no time to start, and as a user calls it. */
import * as fs from 'node:fs';
import { Readable } from 'node:stream';
import { extract as untar } from 'tar-stream';
import { exitCodeFor } from '../../dist/cli/exit-codes.js';
import type { InputChoice } from '../../dist/input/open-source.js';
import type { Outcome } from '../../dist/outcome.js';
import type { TaskThread } from '../../dist/threads/task-thread.js';
import { TAR_OPTIONS } from '../../dist/verbs/convert-to-tar.js';
import { list, LIST_OPTIONS } from '../../dist/verbs/list.js';
import { makeTar } from '../../dist/verbs/make/make-tar.js';
import { given } from '../../dist/verbs/options/option.js';
import { sharing } from '../../dist/engine/pipeline/share.js';
import { runPipeline } from '../../dist/verbs/unpack/pipeline-task.js';
import { unpack } from '../../dist/verbs/unpack/unpack.js';
import { EXTRACT_OPTIONS, VERIFY_OPTIONS } from '../../dist/verbs/unpack/unpack-options.js';
import type { Dice } from '../helpers/damaged-archives.js';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { run, type RunResult, type Stdin } from '../helpers/cli.js';
import { cutAt, runInMemory } from '../helpers/lane.js';
import { feed } from '../helpers/pipes.js';
import { pathIn } from '../helpers/tree.js';
import type { KeyName } from './corpus.js';

/** What is in a place where files came to be. */
export interface Found {
  sizeBytes: number;
  /** Whether it holds these bytes at this place. */
  holds(at: number, bytes: Buffer): boolean;
  /** What of it takes room, where that is known. */
  storedBytes: number | undefined;
}

export interface Result {
  /** As an exit code; undefined where the way does not concern this archive. */
  code: number | undefined;
  /** What the program said, for who looks at a failure. */
  said: string;
  /** By name, one character a byte; undefined where the way makes no files. */
  files?: ReadonlyMap<string, Found> | undefined;
  /** What a listing says: sizes of the files, by name. */
  sizes?: ReadonlyMap<string, number> | undefined;
  peakBytes?: number;
}

/** Where a case is worked on. */
export interface Place {
  /** The archive. */
  archive: string;
  /** A named pipe. */
  pipe: string;
  /** An empty directory. */
  target: string;
  tar: string;
  /** Resolves when nobody writes into the pipe any more. */
  fed: Promise<void>;
}

export interface WayTools {
  /** What the program gets: the archive, or what it is wrapped in. */
  bytes: Buffer;
  isWrapped: boolean;
  key: KeyName;
  place: Place;
  dice: Dice;
}

export interface Way {
  name: string;
  /** Layers are undone. */
  decodes: boolean;
  /** How much of the archive is read: all of it, in its order; file by file, in any; what can be found after damage; headers. */
  reads: 'in order' | 'by file' | 'all there is' | 'headers';
  /** Which files come out, by their stored names, in which form. */
  gives: 'memory' | 'directory' | 'tar' | 'sizes' | 'stream' | 'nothing';
  /** The program itself. */
  isProgram?: true;
  go: (tools: WayTools) => Promise<Result>;
}

/** What a task needs of its thread, with nobody there to be told. */
function noThread(): TaskThread {
  const control = { path: '', progressBytes: 0 };
  const silent = (): void => undefined;
  const told = { file: silent, flush: silent, warning: silent, progress: silent, pause: silent };
  return { ...told, control, signal: new AbortController().signal, isStopped: () => false } as unknown as TaskThread;
}

type From = 'file' | 'pipe';

/** The second reader knows nothing of what an archive may be wrapped in as a whole; only some are meant to be. */
const AS_IS = { asIs: true };

/** What is wrapped is read as it comes, also from a file. */
function isFile(from: From, { isWrapped, dice }: WayTools): boolean {
  return isWrapped ? dice.below(2) === 0 : from === 'file';
}

async function inputOf(from: From, tools: WayTools): Promise<InputChoice> {
  const { bytes, place, isWrapped, key } = tools;
  const stream = isWrapped ? { key: FIXTURE_KEYS[key]! } : AS_IS;
  if (isFile(from, tools)) return { kind: 'path', path: place.archive, stream };
  const fd = fs.openSync(place.pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  place.fed = feed(fs.openSync(place.pipe, fs.constants.O_WRONLY), bytes);
  return Promise.resolve({ kind: 'descriptor', fd, stream });
}

function common({ key }: WayTools, decodes: boolean): Record<string, unknown> {
  return {
    decompress: decodes,
    deep: decodes,
    key: decodes ? FIXTURE_KEYS[key] : undefined,
    backup: 'never',
    parallel: 1,
  };
}

function resultOf({ problems, stopped }: Outcome<unknown>): Result {
  const said = problems.map(({ code, message }) => `${code}: ${message}`).join('\n');
  return { code: stopped ? -1 : exitCodeFor(problems.map(({ code }) => code)), said };
}

async function memory({ bytes, dice }: WayTools): Promise<Result> {
  const places = Array.from({ length: dice.below(6) }, () => dice.below(bytes.length + 1));
  const { codes, output } = await runInMemory(cutAt(bytes, places));
  const files = new Map([...output.files].map(([path, content]) => [path, foundBytes(content)]));
  return { code: exitCodeFor(codes), said: codes.join(), files };
}

function extracting(from: From, decodes: boolean, keepGoing = false) {
  return async (tools: WayTools): Promise<Result> => {
    const input = await inputOf(from, tools);
    const told = given(EXTRACT_OPTIONS, { createTarget: false, keepGoing });
    const options = { ...told, ...common(tools, decodes), input, target: tools.place.target };
    const outcome = await unpack({ verb: 'extract', options }, noThread());
    return { ...resultOf(outcome), files: filesIn(tools.place.target) };
  };
}

function pipelines(verb: 'extract' | 'verify', decodes: boolean) {
  return async (tools: WayTools): Promise<Result> => {
    const input = await inputOf('file', tools);
    const { target } = tools.place;
    const options = {
      ...given(EXTRACT_OPTIONS, {}),
      ...given(VERIFY_OPTIONS, {}),
      ...common(tools, decodes),
      input,
      target,
    };
    const share = { index: 0, ...sharing(1, 0) };
    const outcome = await runPipeline({ verb, options, share }, noThread());
    if (outcome.problems.length === 0 && outcome.summary?.plan === undefined)
      return { code: undefined, said: 'not shared' };
    return { ...resultOf(outcome), files: verb === 'extract' ? filesIn(target) : undefined };
  };
}

function verifying(from: From, decodes: boolean) {
  return async (tools: WayTools): Promise<Result> => {
    const input = await inputOf(from, tools);
    const options = { ...given(VERIFY_OPTIONS, {}), ...common(tools, decodes), input };
    return resultOf(await unpack({ verb: 'verify', options }, noThread()));
  };
}

function listing(from: From) {
  return async (tools: WayTools): Promise<Result> => {
    const input = await inputOf(from, tools);
    const outcome = await list.run({ ...given(LIST_OPTIONS, {}), input }, noThread());
    const entries = outcome.summary?.entries ?? [];
    return { ...resultOf(outcome), sizes: new Map(entries.map(({ path, bytes }) => [path, bytes])) };
  };
}

function tarring(from: From, decodes: boolean) {
  return async (tools: WayTools): Promise<Result> => {
    const input = await inputOf(from, tools);
    const output = { kind: 'path', path: tools.place.tar, overwrite: true } as const;
    const options = { ...given(TAR_OPTIONS, { mtime: new Date(0) }), ...common(tools, decodes), input, output };
    const result = resultOf(await makeTar(options, noThread()));
    const isThere = fs.existsSync(tools.place.tar);
    if (isThere !== (result.code === 0)) return { ...result, code: -1, said: `exit ${result.code}, tar ${isThere}` };
    return { ...result, files: isThere ? await filesOfTar(tools.place.tar) : new Map() };
  };
}

const keyText = (key: KeyName): string => Buffer.from(FIXTURE_KEYS[key]!.bytes).toString('latin1');
const words = (key: KeyName): string[] => [`--decrypt=${key}`, '-k', keyText(key)];

function calling(from: From, args: (tools: WayTools) => readonly string[], gives: Way['gives']) {
  return async (tools: WayTools): Promise<Result> => {
    const { bytes, place, isWrapped, key } = tools;
    const stdin: Stdin = isFile(from, tools) ? { kind: 'file', path: place.archive } : { kind: 'pipe', bytes };
    // What comes out of cat is no text.
    const wrapper = gives === 'stream' ? ['sh', '-c', 'exec "$@" >"$OUT"', 'sh'] : [];
    const result = await run([...args(tools), ...(isWrapped ? [] : ['--no-decode-stream'])], {
      stdin,
      wrapper,
      env: { OUT: place.tar, ...(isWrapped ? { XBCRYPT_ENCRYPTION_KEY: keyText(key) } : {}) },
      measureMemory: true,
    });
    const files =
      gives === 'directory' ? filesIn(place.target) : gives === 'tar' ? await tarOf(result, place) : undefined;
    const stream = gives === 'stream' ? new Map([['', foundBytes(fs.readFileSync(place.tar))]]) : undefined;
    return { code: codeOf(result), said: result.stderr, files: files ?? stream, peakBytes: result.peakBytes };
  };
}

export function codeOf({ code, stderr }: RunResult): number {
  // A stack trace is never an answer.
  return code === null || /\bat .*\.js:\d+|\bbug\b/.test(stderr) ? -1 : code;
}

async function tarOf({ code }: RunResult, { tar }: Place): Promise<ReadonlyMap<string, Found>> {
  return code === 0 ? filesOfTar(tar) : new Map<string, Found>();
}

/** Of a file a tar, and content, is made by the headers, which are read to their end whatever is wrong with them. */
const PASSED_ON = { file: 'all there is', pipe: 'in order' } as const;
const FROM: readonly From[] = ['file', 'pipe'];

/** All ways, the quickest first. */
export const WAYS: readonly Way[] = [
  { name: 'lane into memory', decodes: false, reads: 'in order', gives: 'memory', go: memory },
  ...FROM.flatMap((from): Way[] => [
    { name: `verify, ${from}`, decodes: false, reads: 'all there is', gives: 'nothing', go: verifying(from, false) },
    {
      name: `verify --deep, ${from}`,
      decodes: true,
      reads: 'all there is',
      gives: 'nothing',
      go: verifying(from, true),
    },
    { name: `list, ${from}`, decodes: false, reads: 'headers', gives: 'sizes', go: listing(from) },
    { name: `extract, ${from}`, decodes: false, reads: 'in order', gives: 'directory', go: extracting(from, false) },
    {
      name: `extract and decode, ${from}`,
      decodes: true,
      reads: 'in order',
      gives: 'directory',
      go: extracting(from, true),
    },
    {
      ...{ name: `extract --keep-going, ${from}`, decodes: false, reads: 'all there is', gives: 'directory' },
      go: extracting(from, false, true),
    },
    {
      ...{ name: `extract --keep-going and decode, ${from}`, decodes: true, reads: 'all there is', gives: 'directory' },
      go: extracting(from, true, true),
    },
    { name: `tar, ${from}`, decodes: false, reads: PASSED_ON[from], gives: 'tar', go: tarring(from, false) },
    {
      name: `tar of decoded files, ${from}`,
      decodes: true,
      reads: PASSED_ON[from],
      gives: 'tar',
      go: tarring(from, true),
    },
  ]),
  { name: 'pipelines', decodes: false, reads: 'by file', gives: 'directory', go: pipelines('extract', false) },
  {
    name: 'pipelines that decode',
    decodes: true,
    reads: 'by file',
    gives: 'directory',
    go: pipelines('extract', true),
  },
  { name: 'pipelines that verify', decodes: false, reads: 'by file', gives: 'nothing', go: pipelines('verify', false) },
  {
    name: 'pipelines that verify --deep',
    decodes: true,
    reads: 'by file',
    gives: 'nothing',
    go: pipelines('verify', true),
  },
];

/** The program as people call it. */
export const CALLS: readonly Way[] = FROM.flatMap((from): Way[] => {
  const call = (name: string, way: Omit<Way, 'name' | 'go'>, args: (tools: WayTools) => readonly string[]): Way => ({
    ...{ ...way, name: `${name} (program, ${from})`, isProgram: true },
    go: calling(from, args, way.gives),
  });
  const inOrder = { decodes: false, reads: 'in order' } as const;
  return [
    call('-x', { ...inOrder, gives: 'directory' }, ({ place }) => ['-x', '--backup=never', '-C', place.target]),
    call('-x --decompress', { ...inOrder, decodes: true, gives: 'directory' }, ({ place, key }) => [
      ...['-x', '--backup=never', '-C', place.target, '--decompress', ...words(key)],
    ]),
    call('extract', { ...inOrder, gives: 'directory' }, ({ place }) => [
      'extract',
      '--backup=never',
      '-C',
      place.target,
    ]),
    call('verify --deep', { decodes: true, reads: 'all there is', gives: 'nothing' }, ({ key }) => [
      ...['verify', '--deep', '--backup=never', ...words(key)],
    ]),
    call('list', { decodes: false, reads: 'headers', gives: 'nothing' }, () => ['list', '--json']),
    call('info', { decodes: false, reads: 'headers', gives: 'nothing' }, () => ['info', '--json', '--backup=never']),
    call('report', { decodes: false, reads: 'headers', gives: 'nothing' }, ({ place }) => [
      'report',
      '--backup=never',
      '-',
      '-o',
      place.tar,
    ]),
    call('cat', { decodes: false, reads: PASSED_ON[from], gives: 'stream' }, () => ['cat', '--raw', '-', '**']),
    call('tar', { decodes: false, reads: PASSED_ON[from], gives: 'tar' }, ({ place }) => [
      'tar',
      '--backup=never',
      '-',
      '-o',
      place.tar,
    ]),
  ];
});

function foundBytes(content: Buffer): Found {
  return {
    sizeBytes: content.length,
    holds: (at, bytes) => content.subarray(at, at + bytes.length).equals(bytes),
    storedBytes: undefined,
  };
}

/** What a directory holds; directories do not count, and what is neither has a size that no file has. */
export function filesIn(root: string): Map<string, Found> {
  const found = new Map<string, Found>();
  const visit = (relative: string): void => {
    for (const name of fs.readdirSync(pathIn(root, relative), { encoding: 'latin1' })) {
      const path = relative + name;
      const stat = fs.lstatSync(pathIn(root, path));
      if (stat.isDirectory()) visit(`${path}/`);
      else found.set(path, foundFile(pathIn(root, path), stat));
    }
  };
  visit('');
  return found;
}

function foundFile(path: Buffer, stat: fs.Stats): Found {
  return {
    sizeBytes: stat.isFile() ? stat.size : -1,
    storedBytes: stat.blocks * 512,
    holds: (at, bytes) => {
      const fd = fs.openSync(path, 'r');
      const content = Buffer.alloc(bytes.length);
      fs.readSync(fd, content, 0, content.length, at);
      fs.closeSync(fd);
      return content.equals(bytes);
    },
  };
}

/** Names in a tar as text: what is no UTF-8 shows as such. */
async function filesOfTar(path: string): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  const parser = untar();
  Readable.from(fs.readFileSync(path)).pipe(parser);
  for await (const entry of parser) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    if (entry.header.type === 'file') found.set(entry.header.name, foundBytes(Buffer.concat(parts)));
  }
  return found;
}
