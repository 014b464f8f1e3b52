/** Names on the command line that are no UTF-8: nothing is read or written under another name. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { TREE_KEY, TREE_KEY_WORDS } from '../helpers/encoded-tree.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf } from '../helpers/tree.js';

const BYTES = archive(file('a', 'A'));

/** Runs the program with words as bash has them. */
function typed(words: string, cwd: string): Promise<RunResult> {
  return run([], { cwd, wrapper: ['bash', '-c', `exec "$@" ${words}`, 'bash'], stdin: { kind: 'pipe', bytes: BYTES } });
}

const skip = process.platform !== 'linux' && 'needs /proc';

describe('a name that is no UTF-8', { concurrency: true, skip }, () => {
  for (const words of [
    String.raw`extract - -C $'dir\xff'`,
    String.raw`-x --directory=$'dir\xff'`,
    String.raw`tar - -o$'dir\xff'`,
    String.raw`create --from-tar=$'dir\xff'`,
    String.raw`create a.xb -T $'dir\xff'`,
    String.raw`verify --manifest $'dir\xff'`,
    String.raw`verify --index $'dir\xff'`,
    String.raw`verify --info $'dir\xff'`,
    String.raw`verify --merge $'dir\xff'`,
    String.raw`list $'dir\xff'`,
    String.raw`list --parts a.xb $'dir\xff'`,
  ]) {
    test(`is refused: ${words}`, async (context) => {
      if (!hasProgram(context, 'bash', 'bash')) return;
      const cwd = tempDir(context);
      fs.writeFileSync(join(cwd, 'a.xb'), BYTES);
      fs.writeFileSync(join(cwd, 'dir\ufffd'), BYTES);
      const { code, stderr } = await typed(words, cwd);
      assert.match(stderr, /is not UTF-8/);
      assert.equal(code, EXIT.usage);
      assert.deepEqual(fs.readdirSync(cwd).sort(), ['a.xb', 'dir\ufffd']);
    });
  }

  test('is no other name that has the sign for it in it', async (context) => {
    const cwd = tempDir(context);
    const { code, stderr } = await run(['extract', '-', '-C', 'dir\ufffd'], {
      cwd,
      stdin: { kind: 'pipe', bytes: BYTES },
    });
    assert.equal(code, EXIT.ok, stderr);
    assert.deepEqual(fs.readdirSync(join(cwd, 'dir\ufffd')), ['a']);
  });

  test('is found by decode and by -c also beside a key, which is taken off the process list', async (context) => {
    if (!hasProgram(context, 'bash', 'bash')) return;
    const cwd = tempDir(context);
    const content = noise(1000);
    fs.writeFileSync(Buffer.from(`${cwd}/b\xff.qp.xbcrypt`, 'latin1'), xbcryptFile(qpressFile(content), TREE_KEY));
    const packed = await typed(String.raw`-c ${TREE_KEY_WORDS.join(' ')} $'b\xff.qp.xbcrypt'`, cwd);
    assert.equal(packed.code, EXIT.ok, packed.stderr);
    assert.match(packed.stdoutBytes.toString('latin1'), /b\xff\.qp\.xbcrypt/);
    const decoded = await typed(String.raw`decode ${TREE_KEY_WORDS.join(' ')} $'b\xff.qp.xbcrypt'`, cwd);
    assert.equal(decoded.code, EXIT.ok, decoded.stderr);
    assert.deepEqual(readTree(cwd), treeOf({ 'b\xff': content }));
  });
});
