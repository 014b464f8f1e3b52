import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { allLayersOf, layersOf, namesWhileDecoded } from '../../dist/codec/stored-layers.js';

const BOTH = { decrypt: true, decompress: true };
const DECRYPT = { decrypt: true, decompress: false };
const DECOMPRESS = { decrypt: false, decompress: true };

test('the last suffixes choose the layers, outermost first, and the final name drops just those undone', () => {
  const cases: [string, typeof BOTH, string, string][] = [
    ['db/t.ibd', BOTH, '', 'db/t.ibd'],
    ['db/t.ibd.zst', BOTH, 'zstd', 'db/t.ibd'],
    ['db/t.ibd.lz4.xbcrypt', BOTH, 'xbcrypt lz4', 'db/t.ibd'],
    ['db/t.ibd.qp.xbcrypt', DECRYPT, 'xbcrypt', 'db/t.ibd.qp'],
    ['db/t.ibd.qp.xbcrypt', DECOMPRESS, '', 'db/t.ibd.qp.xbcrypt'],
    ['db/t.ibd.qp', DECOMPRESS, 'qpress', 'db/t.ibd'],
    ['db/t.ibd.qp', DECRYPT, '', 'db/t.ibd.qp'],
    ['t.xbcrypt', BOTH, 'xbcrypt', 't'],
    ['a.xbcrypt.d/f.zst.xbcrypt', BOTH, 'xbcrypt zstd', 'a.xbcrypt.d/f'],
    ['f.xbcrypt.zst', BOTH, 'zstd', 'f.xbcrypt'],
    ['f.lz4.qp', BOTH, 'qpress', 'f.lz4'],
    ['f.ZST', BOTH, '', 'f.ZST'],
    ['f.zst.XBCRYPT', BOTH, '', 'f.zst.XBCRYPT'],
    ['zst', BOTH, '', 'zst'],
    ['f\xff\x80.zst', BOTH, 'zstd', 'f\xff\x80'],
  ];
  for (const [name, choice, layers, finalName] of cases) {
    assert.deepEqual(
      layersOf(rawPath(name), choice),
      { layers: layers === '' ? [] : layers.split(' '), finalName },
      name,
    );
  }
});

test('a listing shows all layers, whatever is to be undone', () => {
  assert.deepEqual(allLayersOf('db/t.ibd.zst.xbcrypt'), ['xbcrypt', 'zstd']);
  assert.deepEqual(allLayersOf('db/t.ibd'), []);
  assert.deepEqual(allLayersOf('d/.zst'), ['zstd']);
});

test('a name that is nothing but a suffix is refused when it is to be decoded, and only then', () => {
  for (const name of ['.lz4', 'd/.zst', '.zst.xbcrypt', 'd/.qp', 'd/..zst', 'd/...zst', '..qp.xbcrypt']) {
    assert.throws(() => layersOf(rawPath(name), BOTH), { code: 'XB_UNSAFE_PATH', path: name }, name);
    assert.equal(layersOf(rawPath(name), { decrypt: false, decompress: false }).finalName, name);
  }
  assert.equal(layersOf(rawPath('.zst.xbcrypt'), DECRYPT).finalName, '.zst');
  assert.equal(layersOf(rawPath('d/....zst'), BOTH).finalName, 'd/...');
});

test('the names that a file has while its layers are undone, the most decoded first', () => {
  const cases: [string, string[]][] = [
    ['db/t.ibd', ['db/t.ibd']],
    ['db/t.ibd.qp', ['db/t.ibd', 'db/t.ibd.qp']],
    ['t.xbcrypt', ['t', 't.xbcrypt']],
    ['t.zst.xbcrypt', ['t', 't.zst', 't.zst.xbcrypt']],
    ['t.qp.qp', ['t.qp', 't.qp.qp']],
    ['d/.zst.xbcrypt', ['d/.zst', 'd/.zst.xbcrypt']],
  ];
  for (const [stored, names] of cases) {
    const found = namesWhileDecoded(rawPath(stored));
    assert.deepEqual(
      found.map(({ name }) => name),
      names,
    );
    for (const { name, choice } of found) assert.equal(layersOf(rawPath(stored), choice).finalName, name);
  }
});
