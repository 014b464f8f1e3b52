import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { layersOf } from '../../dist/codec/stored-layers.js';
import { decode, FIXTURE_KEYS, type DecodeOptions } from '../helpers/decode.js';
import { readFixture, readManifest, splitArchive } from '../helpers/mini-xbstream.js';

const PERCONA = readdirSync(new URL('../fixtures/percona', import.meta.url))
  .filter((name) => name.endsWith('.xbs') && !name.startsWith('sparse-'))
  .map((name) => name.slice(0, -'.xbs'.length));

function checkArchive(archive: string, manifest: string, options: DecodeOptions): number {
  const expected = readManifest(manifest);
  const seen = new Set<string>();
  let layered = 0;
  for (const [name, bytes] of splitArchive(readFixture(archive))) {
    const { layers, finalName } = layersOf(rawPath(name), { decrypt: options.key !== undefined, decompress: true });
    if (layers.length > 0) layered++;
    const content = layers.length > 0 ? decode(layers, bytes, options) : bytes;
    assert.equal(createHash('sha256').update(content).digest('hex'), expected.get(finalName), `${name} of ${archive}`);
    seen.add(finalName);
  }
  assert.deepEqual([...seen].sort(), [...expected.keys()].sort());
  return layered;
}

function keyOf(name: string) {
  return FIXTURE_KEYS[/AES\d+/.exec(name)?.[0] ?? ''];
}

for (const [title, feed] of Object.entries<() => DecodeOptions>({
  'in one piece': () => ({}),
  'in pieces of 64 KiB': () => ({ pieceBytes: 65536 }),
  'in pieces of 4099 bytes, with pauses': () => ({ pieceBytes: 4099, pauses: true }),
  'in one piece, with pauses': () => ({ pauses: true }),
})) {
  test(`every layered file that Percona's writers made decodes to its manifest, fed ${title}`, () => {
    let layered = 0;
    for (const name of PERCONA) {
      layered += checkArchive(`percona/${name}.xbs`, `percona/${name}.sha256`, { ...feed(), key: keyOf(name) });
    }
    assert.ok(layered > 100, `${layered} layered files`);
  });
}

test('every layered file decodes when it comes byte by byte', () => {
  for (const name of PERCONA) {
    checkArchive(`percona/${name}.xbs`, `percona/${name}.sha256`, { pieceBytes: 1, key: keyOf(name) });
  }
});

test("MariaDB's qpress files decode to their manifest", () => {
  const archive = 'mariadb/tiny-full-compress-qp.xbs';
  for (const pieceBytes of [undefined, 65536, 257]) {
    assert.ok(checkArchive(archive, 'mariadb/tiny-full-compress-qp.decoded.sha256', { pieceBytes }) > 90);
  }
});
