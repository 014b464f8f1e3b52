/** What is on the screen of somebody who looks: colours, names, how far it is. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { hasProgram } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { pathWithProgram, Terminal } from '../helpers/terminal.js';

const WHOLE = archive(file('shop/a', 'A'), file('shop/b', noise(200_000)));

/** A folder with archives: a whole one, one that is cut, one that is damaged. */
function folderWith(context: Cleanup): string {
  const folder = tempDir(context);
  const damaged = Buffer.from(WHOLE);
  damaged[damaged.length - 100_000]! ^= 1;
  fs.writeFileSync(join(folder, 'whole'), WHOLE);
  fs.writeFileSync(join(folder, 'cut'), WHOLE.subarray(0, 100_000));
  fs.writeFileSync(join(folder, 'damaged'), damaged);
  const inPieces = (name: string, ...bytes: string[]): Buffer[] => [
    ...bytes.map((piece, at) =>
      payload(name, Buffer.byteLength(bytes.slice(0, at).join(''), 'latin1'), Buffer.from(piece, 'latin1')),
    ),
    end(name),
  ];
  fs.writeFileSync(
    join(folder, 'letters'),
    archive(file('c1', 'a\u009b31m'), ...inPieces('cut', 'a\xc2', '\x9b31m'), ...inPieces('text', 'a\xc3', '\xa9 b\n')),
  );
  fs.writeFileSync(join(folder, 'broken'), archive(payload('shop/a', 0, 'A'), Buffer.alloc(99), file('shop/b', 'B')));
  return folder;
}

/** Waits until a command has shown something; colours stand there as `<red>`, and nothing for their end. */
async function shows(context: Cleanup, command: string, expected: RegExp): Promise<void> {
  const cwd = folderWith(context);
  const env = { PATH: pathWithProgram(cwd), NO_COLOR: '' };
  await new Terminal(context, command, { cwd, env }).shows(expected, (text) =>
    // eslint-disable-next-line no-control-regex -- escape sequences are what it is about
    text.replace(/\x1b\[(\d+)m/g, (_, code: string) => COLOURS[code] ?? ''),
  );
}

const COLOURS: Readonly<Record<string, string>> = { 31: '<red>', 32: '<green>', 33: '<yellow>' };

describe('on a terminal', { concurrency: true }, () => {
  for (const [command, expected] of [
    ['tsxbstream verify whole', /is <green>whole: 2 files/],
    ['tsxbstream verify damaged', /<red>shop\/b\r\n[^]*is <red>NOT whole/],
    ['tsxbstream verify -v damaged', /<green>whole {2}shop\/a\r\n[^]*is <red>NOT whole/],
    ['tsxbstream list cut', /whole .*shop\/a\r\n[^]*<yellow>cut .*shop\/b[^]*<red>NOT WHOLE/],
    ['tsxbstream list broken', /<red>DAMAGED/],
    ['tsxbstream list whole', /SIZE {2}STATE[^]*2 files, 195 KiB \(4 chunks, 195 KiB of archive\)/],
    ['tsxbstream extract --keep-going damaged -C x', /<red>lost 1 file/],
    // What a terminal acts on, also as one letter of UTF-8, and where that is cut between two chunks.
    ['tsxbstream cat letters c1', /this is no text/],
    ['tsxbstream cat letters cut', /this is no text/],
    ['tsxbstream cat letters text', /^a\S+ b\r\n/],
    // What goes to a file has none.
    ['tsxbstream verify damaged > told; cat told; echo done', /^shop\/b\r\n[^<]*NOT whole[^<]*done/m],
  ] as const) {
    test(command, async (context) => {
      if (!hasProgram(context, 'script', 'bsdutils')) return;
      await shows(context, command, expected);
    });
  }

  test('the line that moves tells how many files are done, and which is at work on', async (context) => {
    if (!hasProgram(context, 'script', 'bsdutils')) return;
    const slowly = '(head -c 100000 whole; sleep 2; tail -c +100001 whole)';
    await shows(context, `${slowly} | tsxbstream extract - -C x`, /KiB read .* elapsed {2}1 file {2}shop\/b/);
  });
});

test('verify -v names each file that is whole, once, in the archive’s order, however many threads there are', async (context) => {
  const path = join(folderWith(context), 'whole');
  const { stdout } = await run(['verify', '-v', '--parallel=2', path]);
  assert.match(stdout, /^whole {2}shop\/a\nwhole {2}shop\/b\n.* is whole: 2 files \(195 KiB in 195 KiB of archive\)/);
});
