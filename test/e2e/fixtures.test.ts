/** Every real archive comes out byte for byte, whichever way it comes in. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { run, start, type RunResult, type Stdin } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture, type Fixture } from '../helpers/fixtures.js';
import { piecesOf, runInMemory, treeInMemory } from '../helpers/lane.js';
import { openPipe } from '../helpers/pipes.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, sorted, type Tree } from '../helpers/tree.js';

/** The checksums alone: what `sha256sum -c` would look at. */
function sums(tree: Tree): Record<string, string> {
  return sorted(Object.fromEntries(Object.entries(tree).map(([path, text]) => [path, text.replace(/^\d+ /, '')])));
}

function assertUnpacked({ sha256 }: Fixture, target: string, result: RunResult): void {
  assert.deepEqual([result.code, result.signal, result.stderr], [0, null, '']);
  assert.deepEqual(sums(readTree(target)), sorted(sha256));
}

async function unpack(context: { after(work: () => void): void }, archive: Fixture, stdin: Stdin): Promise<void> {
  const target = tempDir(context);
  const result = await run(['-x', '-C', target], { stdin });
  assert.equal(result.stdout, '');
  assertUnpacked(archive, target, result);
}

test('all fixtures are there', () => {
  assert.equal(FIXTURE_NAMES.length, 26);
});

type Way = (context: TestContext, archive: Fixture) => Promise<void>;

const WAYS: Readonly<Record<string, Way>> = {
  'from a file on stdin': async (context, archive) => {
    const path = join(tempDir(context), 'archive.xbs');
    fs.writeFileSync(path, archive.bytes);
    await unpack(context, archive, { kind: 'file', path });
  },
  'from a pipe': (context, archive) => unpack(context, archive, { kind: 'pipe', bytes: archive.bytes }),
  'extract ARCHIVE': async (context, archive) => {
    const path = join(tempDir(context), 'archive.xbs');
    fs.writeFileSync(path, archive.bytes);
    const target = join(tempDir(context), 'made/by/the/verb');
    assertUnpacked(archive, target, await run(['extract', '-q', path, '-C', target]));
  },
};

describe('every fixture', { concurrency: true }, () => {
  // test/codec/fixtures.test.ts decodes all of them, in this process.
  for (const name of sampled(FIXTURE_NAMES, 2)) {
    for (const [title, unpackIt] of inTurn(Object.entries(WAYS))) {
      test(`${name}, ${title}`, (context) => unpackIt(context, fixture(name)));
    }
  }

  for (const name of sampled(FIXTURE_NAMES, 8)) {
    test(`${name}, byte by byte`, async () => {
      const archive = fixture(name);
      const { codes, output } = await runInMemory(piecesOf(archive.bytes, 1));
      assert.deepEqual(codes, []);
      assert.deepEqual(sums(treeInMemory(output)), sorted(archive.sha256));
    });
  }
});

/** Writes a byte, waits until the process has read it, writes the next. */
async function feedByteByByte(pid: number, writeFd: number, bytes: Buffer): Promise<void> {
  const bytesRead = (): string => /rchar: (\d+)/.exec(fs.readFileSync(`/proc/${pid}/io`, 'latin1'))![1]!;
  for (let at = 0; at < bytes.length; at += 1) {
    const before = bytesRead();
    fs.writeSync(writeFd, bytes, at, 1);
    const patience = performance.now() + 50;
    while (bytesRead() === before && performance.now() < patience) await new Promise(setImmediate);
  }
  fs.closeSync(writeFd);
}

describe('from a pipe that delivers one byte at a time', { concurrency: true }, () => {
  // The others are too long for this; they come byte by byte above, without the pipe.
  for (const name of sampled(['percona/big-zstd-NONE', 'percona/old-v2-qp-AES192'], 2)) {
    test(name, { skip: process.platform !== 'linux' && 'needs /proc' }, async (context) => {
      const archive = fixture(name);
      const target = tempDir(context);
      const { readFd, writeFd } = openPipe();
      const { child, ended } = start(['-x', '-C', target], { stdin: { kind: 'open', stdio: readFd } });
      fs.closeSync(readFd);
      await feedByteByByte(child.pid!, writeFd, archive.bytes);
      assertUnpacked(archive, target, await ended);
    });
  }
});
