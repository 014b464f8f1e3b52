/**
 * Measures what is read over a network: `list` of a sparse archive of 1 TiB behind nginx with 20 ms of latency, the same and more
 * by an index, and `extract` over loopback beside the same from a file, and beside `curl | mbstream -x`.
 *
 *   npm run build && node --import tsx bench/remote.ts [--folder DIR] [--only list,index,extract] [--rounds 5]
 *
 * It needs nginx, curl and mbstream, and 1 GB on a file system that has sparse files.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { end, payload } from '../test/helpers/archive-bytes.js';
import { startNginx } from '../test/helpers/nginx.js';

const PROGRAM = fileURLToPath(new URL('../bin/tsxbstream.js', import.meta.url));
const MIB = 1024 * 1024;
const CHUNK_BYTES = 10 * MIB;
const LATENCY_MS = 20;

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: tmpdir() },
    only: { type: 'string', default: 'list,index,extract' },
    rounds: { type: 'string', default: '5' },
  },
});

/** Called when all is done. */
const cleanups: (() => void)[] = [];
const context = { after: (work: () => void) => void cleanups.push(work) };

/** Real headers; payloads of zeros that take no room. Several files interleave, as threads write them, and end anywhere. */
function writeSparse(path: string, archiveBytes: number, fileBytes: number, interleave: number): void {
  const fd = fs.openSync(path, 'w');
  const write = (bytes: Buffer): void => {
    fs.writeSync(fd, bytes, 0, bytes.length, at);
    at += bytes.length;
  };
  const crcs = new Map<number, number>();
  const crcOfZeros = (bytes: number): number => {
    crcs.set(bytes, crcs.get(bytes) ?? crc32(Buffer.alloc(bytes)));
    return crcs.get(bytes)!;
  };
  let at = 0;
  let files = 0;
  const begun = (): { name: string; bytes: number; done: number } => {
    files += 1;
    const bytes = Math.floor(fileBytes * (0.5 + ((files * 7919) % 1000) / 1000));
    return { name: `shop/orders_${'x'.repeat(files % 17)}${files}.ibd`, bytes, done: 0 };
  };
  const open = Array.from({ length: interleave }, begun);
  while (open.length > 0) {
    const file = open.shift()!;
    const payloadBytes = Math.min(CHUNK_BYTES, file.bytes - file.done);
    write(payload(file.name, file.done, '', { payloadBytes, crc: crcOfZeros(payloadBytes) }));
    at += payloadBytes;
    file.done += payloadBytes;
    if (file.done < file.bytes) {
      open.push(file);
      continue;
    }
    write(end(file.name));
    if (at < archiveBytes) open.push(begun());
  }
  write(Buffer.concat([payload('xtrabackup_info', 0, 'tool_name = xtrabackup\n'), end('xtrabackup_info')]));
  fs.ftruncateSync(fd, at);
  fs.closeSync(fd);
  console.log(`${path}: ${(at / 1024 ** 3).toFixed(1)} GiB, ${files} files`);
}

/** What comes back from a server arrives so much later. */
async function delayed(origin: string, delayMs: number): Promise<{ origin: string; bytes: () => number }> {
  let bytes = 0;
  const { port, hostname } = new URL(origin);
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    client.setNoDelay(true);
    client.pipe(server);
    server.on('data', (piece: Buffer) => {
      bytes += piece.length;
      setTimeout(() => client.write(piece), delayMs);
    });
    const close = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const end of [client, server]) end.on('error', close).on('close', close);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => proxy.close());
  return { origin: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, bytes: () => bytes };
}

const run = (...words: string[]): Promise<number> => timed(process.execPath, [PROGRAM, ...words]);

/** @returns the seconds that a program takes */
async function timed(program: string, words: readonly string[]): Promise<number> {
  const begun = performance.now();
  const env: NodeJS.ProcessEnv = { ...process.env, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
  delete env['NODE_EXTRA_CA_CERTS'];
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${String(code)}`);
  return (performance.now() - begun) / 1000;
}

function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)]!;
}

/** @returns the large archive and its server */
async function serveLarge(folder: string): Promise<{ path: string; address: string; bytes: () => number }> {
  const path = join(folder, 'large.xbs');
  if (!fs.existsSync(path)) writeSparse(path, 1024 ** 4, 8 * 1024 ** 3, 4);
  const { origin, bytes } = await delayed(await startNginx(context, folder), LATENCY_MS);
  return { path, address: `${origin}/large.xbs`, bytes };
}

async function measureList(folder: string): Promise<void> {
  const { path, address, bytes } = await serveLarge(folder);
  const seconds = await run('list', address);
  const { size } = fs.statSync(path);
  console.log(`list: ${seconds.toFixed(1)} s, ${((100 * bytes()) / size).toFixed(3)} % of the bytes (${bytes()})`);
}

async function measureByIndex(folder: string, rounds: number): Promise<void> {
  const { path, address, bytes } = await serveLarge(folder);
  const index = join(folder, 'large.idx');
  await run('index', path, '-o', index);
  const calls = { list: ['list', address], info: ['info', address], cat: ['cat', address, 'xtrabackup_info'] };
  for (const [name, words] of Object.entries(calls)) {
    const before = bytes();
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) times.push(await run(...words, '--index', index));
    const each = Math.round((bytes() - before) / rounds);
    console.log(`${name} by an index: ${median(times).toFixed(2)} s, ${each} bytes`);
  }
}

async function measureExtract(folder: string, rounds: number): Promise<void> {
  const archive = join(folder, 'data.xbs');
  await new Promise((resolve, reject) => {
    const words = '--files 8 --file-bytes 134217728 --chunk-bytes 10485760 --interleave 4 --content pages -o'.split(
      ' ',
    );
    const script = fileURLToPath(new URL('generate.js', import.meta.url));
    const child = spawn(process.execPath, [script, ...words, archive], { stdio: 'inherit' });
    child.on('close', (code) => (code === 0 ? resolve(0) : reject(new Error('no archive'))));
  });
  const origin = await startNginx(context, folder);
  const target = join(folder, 'target');
  const address = `${origin}/data.xbs`;
  const extract = (place: string): Promise<number> => run('extract', '-q', '--backup=never', place, '-C', target);
  const ways = {
    file: () => extract(archive),
    http: () => extract(address),
    'curl | mbstream -x': () => timed('bash', ['-c', 'curl -s "$0" | mbstream -x -C "$1"', address, target]),
  };
  const times = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      fs.mkdirSync(target);
      const seconds = await way();
      fs.rmSync(target, { recursive: true });
      if (round > 0) times.get(name)!.push(seconds);
    }
  }
  const said = Array.from(times, ([name, seconds]) => `${name} ${median(seconds).toFixed(2)} s`);
  console.log(`extract of 1 GiB: ${said.join(', ')}`);
}

const folder = fs.mkdtempSync(join(values.folder, 'tsxbstream-remote-'));
try {
  if (values.only.includes('list')) await measureList(folder);
  if (values.only.includes('index')) await measureByIndex(folder, Number(values.rounds));
  if (values.only.includes('extract')) await measureExtract(folder, Number(values.rounds));
} finally {
  for (const cleanup of cleanups.reverse()) cleanup();
  fs.rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
