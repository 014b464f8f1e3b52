/** As many threads as there are cores to run them, or as many as somebody asks for. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { availableCores, cgroupCores, threadCount, threadsWithRoom } from '../../dist/threads/cores.js';
import { tempDir } from '../helpers/temp.js';

const V2 = '0::/docker/abc\n';
const V1 = '5:cpuset:/\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n';

for (const [title, self, files, cores] of [
  ['no limit', V2, { 'docker/abc/cpu.max': 'max 100000\n' }, Infinity],
  ['a limit of its own', V2, { 'docker/abc/cpu.max': '150000 100000\n' }, 1.5],
  ['a limit of one above', V2, { 'docker/abc/cpu.max': 'max 100000\n', 'docker/cpu.max': '300000 100000\n' }, 3],
  ['the smaller of two', V2, { 'docker/abc/cpu.max': '800000 100000\n', 'cpu.max': '200000 100000\n' }, 2],
  ['version 1', V1, { 'cpu,cpuacct/cpu.cfs_quota_us': '250000\n', 'cpu,cpuacct/cpu.cfs_period_us': '100000\n' }, 2.5],
  [
    'version 1 without',
    V1,
    { 'cpu,cpuacct/cpu.cfs_quota_us': '-1\n', 'cpu,cpuacct/cpu.cfs_period_us': '1\n' },
    Infinity,
  ],
  ['nonsense', '0::\nx\n3:cpu:../..\n', { 'cpu.max': '0 0\n', 'cpu/cpu.cfs_quota_us': 'x' }, Infinity],
] as const) {
  test(`a cgroup's quota: ${title}`, (context) => {
    const directory = tempDir(context);
    fs.writeFileSync(join(directory, 'self'), self);
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(dirname(join(directory, 'mount', name)), { recursive: true });
      fs.writeFileSync(join(directory, 'mount', name), text);
    }
    assert.equal(cgroupCores(join(directory, 'self'), join(directory, 'mount')), cores);
  });
}

test('where there are no cgroups nothing is limited', () => {
  assert.equal(cgroupCores('/nowhere/self', '/nowhere/mount'), Infinity);
  assert.ok(availableCores() >= 1);
});

test('as many threads as cores, at most 8, unless more are asked for: up to 64', () => {
  const counts = [
    threadCount(undefined, 4),
    threadCount(undefined, 32),
    threadCount(1, 32),
    threadCount(40, 2),
    threadCount(1e9, 2),
    threadCount(0, 2),
  ];
  assert.deepEqual(counts, [4, 8, 1, 40, 64, 1]);
});

test('where addresses are limited (ulimit -v) there are as many threads as there is room for', (context) => {
  const path = join(tempDir(context), 'limits');
  for (const [limit, threads] of [
    ['unlimited', Infinity],
    ['2457600000', 1],
    ['4096000000', 2],
    ['16000000000', 11],
  ] as const) {
    fs.writeFileSync(
      path,
      `Max file locks  unlimited  unlimited  locks\nMax address space         ${limit}    unlimited   bytes\n`,
    );
    assert.equal(threadsWithRoom(path), threads);
  }
  assert.equal(threadsWithRoom('/nowhere'), Infinity);
});
