/** A few bytes may stand for petabytes of zeros: who is to stop does so in the middle of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArchiveWriter } from '../../dist/archive/writer.js';
import { TarPacker } from '../../dist/engine/packing/tar-packer.js';
import { pathFromText } from '../../dist/format/stored-path.js';
import { Stopped } from '../../dist/output/sinks.js';
import { TarReader } from '../../dist/tar/reader.js';
import { TarWriter } from '../../dist/tar/writer.js';
import { sparseMember } from '../helpers/tar-bytes.js';

const ENDLESS = 2 ** 52;
const STOP_BYTES = 2 ** 24;

/** Counts what is written; says stop after some of it, and fails long after that. */
function stoppingSink() {
  let bytes = 0;
  const write = (piece: Buffer): void => {
    bytes += piece.length;
    assert.ok(bytes < 8 * STOP_BYTES, 'it goes on');
  };
  return {
    write,
    writeAll: (buffers: readonly Buffer[]) => buffers.forEach(write),
    isStopped: () => bytes > STOP_BYTES,
  };
}

test('while a tar becomes an archive', async () => {
  const { isStopped, ...sink } = stoppingSink();
  const told = { onMember: () => undefined, onFile: () => undefined, onWarning: () => undefined };
  const options = { chunkBytes: 2 ** 20, sparse: false, absoluteNames: false, isStopped };
  const reader = new TarReader(new TarPacker(new ArchiveWriter(sink), { ...options, ...told }));
  await assert.rejects(reader.push(sparseMember('s', ENDLESS, `1\n${ENDLESS - 1}\n1\n`, 'x')), Stopped);
});

test('while an archive becomes a tar', async () => {
  const { isStopped, ...sink } = stoppingSink();
  const writer = new TarWriter(sink, { mtime: 0, sparse: false, isStopped });
  await writer.begin(pathFromText('s'), ENDLESS, undefined);
  writer.write(Buffer.from('x'), ENDLESS - 1);
  await assert.rejects(writer.finish(), Stopped);
});
