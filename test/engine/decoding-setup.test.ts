/** How many threads undo layers: no limit that was given is overrun. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodingThreads, type DecodingSetup } from '../../dist/engine/decoding/decoding-setup.js';

const key = { cipher: 'AES256', bytes: Buffer.alloc(32) } as const;

for (const [title, setup, cores, threads] of [
  ['as many as help', { decompress: true }, 16, 8],
  ['as many as there are cores', { decompress: true }, 2, 2],
  ['--parallel', { decompress: true, parallel: 3 }, 8, 3],
  ['the own limit beats --parallel', { decompress: true, parallel: 1, decompressThreads: 2 }, 8, 2],
  ['one limit holds for both', { decompress: true, key, decompressThreads: 1 }, 8, 1],
  ['of both the smaller', { decompress: true, key, decompressThreads: 3, decryptThreads: 2 }, 8, 2],
  ['the limit of what is not done is none', { decompress: true, decryptThreads: 1 }, 16, 8],
  ['the same the other way', { decompress: false, key, decompressThreads: 1 }, 16, 8],
] satisfies [string, DecodingSetup, number, number][]) {
  test(`threads: ${title}`, () => assert.equal(decodingThreads(setup, cores), threads));
}
