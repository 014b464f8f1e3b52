/** Many files that are open at the same time: what their decoders hold comes to no more than a fixed sum. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { DecodeChain } from '../../dist/codec/decode-chain.js';
import { UnitDecoder } from '../../dist/codec/unit-decoder.js';
import { canStreamZstd } from '../../dist/codec/zstd/zstd-stream.js';
import { ProgramStage } from '../../dist/wrapper/program-stage.js';
import { archive, end, payload } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { u32 } from '../helpers/layer-writers.js';
import { EXIT } from '../helpers/outcome.js';
import { tempDir } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

const MIB = 2 ** 20;
const TOO_MUCH = { code: 'XB_UNSUPPORTED_LAYER', message: /decoded at the same time need more than 1024 MiB/ };

/** Gathers all that comes. */
class Gathering extends UnitDecoder {
  readonly layer = 'xbcrypt';

  constructor() {
    super({ output: () => undefined, isFull: () => false });
  }

  override count(bytes: number): void {
    super.count(bytes);
  }

  protected measure(): 'more' {
    this.unitNeedsBytes = Infinity;
    return 'more';
  }

  protected decode(): void {
    // Nothing is ever whole.
  }

  protected finish(): void {
    // It may end anywhere.
  }
}

test('units of which the rest does not come: one file too many is refused, and no other', () => {
  const files = Array.from({ length: 16 }, () => new Gathering());
  for (const file of files) file.count(63 * MIB);
  const last = new Gathering();
  last.push(Buffer.alloc(10 * MIB));
  assert.throws(() => last.push(Buffer.alloc(10 * MIB)), TOO_MUCH);
  last.close();
  for (const file of files) file.push(Buffer.alloc(1000));
  files[0]!.end();
  const another = new Gathering();
  another.push(Buffer.alloc(20 * MIB));
  for (const file of [...files, another]) file.close();
});

test('what looks at data that a program decodes gives its memory back with it', () => {
  const program = { command: 'cat', args: [], packageName: 'coreutils' };
  const format = { name: 'zstd', title: 'zstd data', begins: () => true, program } as const;
  for (let run = 0; run < 3; run += 1) {
    const follower = Object.assign(new Gathering(), { soundBytes: 0 });
    const stage = new ProgramStage(format, () => false, follower);
    follower.count(600 * MIB);
    stage.close();
  }
});

const BLOCK = Buffer.from([2, 0, 16, 0x41]);

/** The first bytes of a zstd frame: its window is so large, and it holds 128 KiB of one byte. */
function beginsZstd(windowBits: number): Buffer {
  return Buffer.concat([u32(0xfd2fb528), Buffer.from([0x00, (windowBits - 10) << 3]), BLOCK]);
}

function openZstd(context: TestContext, windowBits: number): DecodeChain {
  const chain = new DecodeChain({ layers: ['zstd'], output: () => undefined });
  context.after(() => chain.close());
  chain.push(beginsZstd(windowBits));
  return chain;
}

// An older Node decodes whole frames, without a window.
if (canStreamZstd()) {
  test('zstd frames with windows of 128 MiB that are open: the eighth is refused; 64 as backups have them are not', (context) => {
    const files = Array.from({ length: 7 }, () => openZstd(context, 27));
    assert.throws(() => openZstd(context, 27), TOO_MUCH);
    for (const file of files) {
      file.push(Buffer.from([1, 0, 0]));
      file.end();
    }
    // Twice: what has ended is given back.
    for (const turn of [1, 2]) {
      for (const file of Array.from({ length: 64 }, () => openZstd(context, 23))) {
        if (turn === 1) file.push(Buffer.from([1, 0, 0]));
        else file.close();
      }
    }
  });
}

for (const parallel of ['1', '2']) {
  test(`files that have lost something keep no memory from sound ones, with ${parallel} threads from a pipe`, async (context) => {
    const begun = beginsZstd(27);
    const damaged = Array.from({ length: 20 }, (_, index) => {
      const path = `damaged${index}.zst`;
      const lost = payload(path, begun.length, BLOCK, { crc: 1 });
      return [payload(path, 0, begun), lost, payload(path, begun.length + BLOCK.length, BLOCK), end(path)];
    });
    const sound = Buffer.concat([begun, Buffer.from([1, 0, 0])]);
    const bytes = archive(...damaged.flat(), payload('sound.zst', 0, sound), end('sound.zst'));
    const target = tempDir(context);
    const words = ['extract', '-', '-C', target, '--decompress', '--keep-going', `--parallel=${parallel}`];
    const { code, stderr } = await run(words, { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.damaged, stderr);
    assert.ok('sound' in readTree(target), stderr);
  });
}
