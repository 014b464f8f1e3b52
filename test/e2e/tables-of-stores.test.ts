/** `--tables` and `--databases` where tables share one place with those of others, as MyRocks has it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { list, XbstreamError } from 'tsxbstream';
import { archive, file } from '../helpers/archive-bytes.js';
import { qpressFile } from '../helpers/layer-writers.js';

/** A definition, as far as it names the engine. */
function definition(engine: string): Buffer {
  const name = Buffer.from(engine, 'latin1');
  return Buffer.concat([Buffer.from([0xfe, 1, 10, 42, 0, 0]), Buffer.from([name.length, 0]), name, Buffer.alloc(6)]);
}

const STORE = [file('#rocksdb/CURRENT', 'c'), file('#rocksdb/000012.sst', 's')];
const TABLES = [
  file('ibdata1', 'i'),
  file('shop/rocks.frm', definition('ROCKSDB')),
  file('shop/other.frm', definition('SPIDER')),
  file('shop/plain.ibd', 'p'),
];

async function taken(bytes: Buffer, selection: { tables?: string[]; databases?: string[] }): Promise<string[]> {
  const { entries } = await list([bytes], selection);
  return entries.map(({ path }) => path).sort();
}

describe('tables of MyRocks', () => {
  test('come with the place in which they lie: without it they are empty', async () => {
    const bytes = archive(...TABLES, ...STORE, file('xtrabackup_info', 'x'));
    const shared = ['#rocksdb/000012.sst', '#rocksdb/CURRENT', 'ibdata1'];
    assert.deepEqual(await taken(bytes, { tables: ['shop.rocks'] }), [...shared, 'shop/rocks.frm', 'xtrabackup_info']);
    assert.deepEqual(await taken(bytes, { databases: ['shop'] }), [
      ...shared,
      'shop/other.frm',
      'shop/plain.ibd',
      'shop/rocks.frm',
      'xtrabackup_info',
    ]);
    const percona = archive(file('.rocksdb/000012.sst.zst', 's'), file('shop/plain.ibd', 'p'));
    assert.deepEqual(await taken(percona, { databases: ['shop'] }), ['.rocksdb/000012.sst.zst', 'shop/plain.ibd']);
  });

  test('are no success where that place is not there, nor is a definition of another engine', async () => {
    for (const [bytes, table] of [
      [archive(...TABLES), 'shop.rocks'],
      [archive(...TABLES, ...STORE), 'shop.other'],
    ] as const) {
      await assert.rejects(
        list([bytes], { tables: [table] }),
        (error) => error instanceof XbstreamError && error.code === 'XB_NO_MATCH',
      );
    }
  });
});

test('the options of a database come with its tables where the backup is compressed or encrypted, too', async () => {
  for (const name of ['shop/db.opt', 'shop/db.opt.qp', 'shop/db.opt.zst.xbcrypt']) {
    const bytes = archive(file(name, qpressFile(Buffer.from('default-character-set=utf8\n'))), file('shop/t.ibd', 't'));
    assert.deepEqual(await taken(bytes, { tables: ['shop.t'] }), [name, 'shop/t.ibd']);
  }
});
