/** What the fuzzer holds the program against is right about archives of which the content is known. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { readManifest } from '../helpers/mini-xbstream.js';
import { sampled } from '../helpers/programs.js';
import { bytesOfContent, readArchive } from './oracle.js';
import { decodedName, decodeStored } from './oracle-layers.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The key that the name of a fixture tells of. */
const keyOf = (name: string) => FIXTURE_KEYS[/AES\d+/.exec(name)?.[0] ?? 'AES256'];

function manifestOf(name: string): ReadonlyMap<string, string> {
  return readManifest(name.endsWith('compress-qp') ? `${name}.decoded.sha256` : `${name}.sha256`);
}

describe('the second reader', () => {
  for (const name of sampled(FIXTURE_NAMES, 4, 3)) {
    test(`finds all files of ${name}, as stored and decoded`, async () => {
      const { bytes, sha256: stored } = fixture(name);
      const { damage, files } = readArchive(bytes);
      assert.equal(damage, undefined);
      const found = [...files].map(([path, content]) => [path, sha256(bytesOfContent(content))] as const);
      assert.deepEqual(Object.fromEntries(found), stored);
      const decoded = new Map<string, string>();
      for (const [path, content] of files) {
        const plain = await decodeStored(path, bytesOfContent(content), keyOf(name));
        decoded.set(decodedName(path, true).name, sha256(plain));
      }
      for (const [path, sum] of manifestOf(name)) assert.equal(decoded.get(path.replace(/^\.\//, '')), sum, path);
    });
  }
});
