/** Files that are packed: what is read is what was found when files were listed. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ArchiveWriter } from '../../dist/archive/writer.js';
import { FileList } from '../../dist/engine/packing/file-list.js';
import { FilePacker } from '../../dist/engine/packing/file-packer.js';
import { pathFromText } from '../../dist/format/stored-path.js';
import { archive, file } from '../helpers/archive-bytes.js';
import { tempDir } from '../helpers/temp.js';
import { writeTree } from '../helpers/tree.js';

const IO = { code: 'XB_IO' };

/** Lists what is in a directory, has something done to it, and packs what was listed. */
function packed(directory: string, paths: readonly string[], between: () => void): Buffer {
  const list = new FileList({
    directory,
    recurse: true,
    absoluteNames: false,
    replaced: undefined,
    onWarning: () => undefined,
  });
  for (const path of paths) list.add(pathFromText(path));
  between();
  const parts: Buffer[] = [];
  const write = (bytes: Buffer): void => void parts.push(Buffer.from(bytes));
  const writer = new ArchiveWriter({ write, writeAll: (buffers) => buffers.forEach(write) });
  const packer = new FilePacker(writer, {
    ...{ chunkBytes: 1024 * 1024, sparse: false },
    ...{ isStopped: () => false, isOutput: () => false, onProgress: () => undefined },
  });
  for (const listed of list.files) packer.pack(listed);
  writer.flush();
  return Buffer.concat(parts);
}

function folderOf(context: TestContext): string {
  const folder = tempDir(context);
  writeTree(folder, { 'data/a': 'a', 'data/sub/b': 'b', 'secret/b': 'secret' });
  return folder;
}

test('a link that takes the place of a listed file is not followed', (context) => {
  const folder = folderOf(context);
  const swap = (): void => {
    fs.rmSync(join(folder, 'data/a'));
    fs.symlinkSync('../secret/b', join(folder, 'data/a'));
  };
  assert.throws(() => packed(folder, ['data'], swap), IO);
});

test('a link that takes the place of a directory on the way is not followed', (context) => {
  const folder = folderOf(context);
  const swap = (): void => {
    fs.renameSync(join(folder, 'data/sub'), join(folder, 'data/old'));
    fs.symlinkSync('../secret', join(folder, 'data/sub'));
  };
  assert.throws(() => packed(folder, ['data'], swap), IO);
});

test('a link that was named leads to the file that was found, and to no other', (context) => {
  const folder = folderOf(context);
  const link = join(folder, 'link');
  fs.symlinkSync('data/a', link);
  assert.ok(packed(folder, ['link'], () => undefined).equals(archive(file('link', 'a'))));
  const swap = (): void => {
    fs.rmSync(link);
    fs.symlinkSync('secret/b', link);
  };
  assert.throws(() => packed(folder, ['link'], swap), IO);
});

test('a file that has grown since it was listed is stored as it is', (context) => {
  const folder = folderOf(context);
  const grow = (): void => fs.appendFileSync(join(folder, 'data/a'), 'more');
  assert.ok(packed(folder, ['data/a'], grow).equals(archive(file('data/a', 'amore'))));
});

test('a file whose size the system does not tell is an error, not an empty file', () => {
  assert.throws(() => packed('/proc', ['version'], () => undefined), /holds more than the 0 bytes/);
});
