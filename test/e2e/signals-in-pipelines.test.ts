/** Ctrl-C goes to all of a pipeline: who writes our input may be gone before we have heard of it. That is no damage. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { archive, end, file, payload } from '../helpers/archive-bytes.js';
import { PROGRAM, run, start } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { member } from '../helpers/tar-bytes.js';
import { until, untilExists } from '../helpers/wait.js';

const begun = archive(file('whole', 'all of it'), payload('d/a', 0, 'the first half, '), end('empty'));
const DAMAGE = /cut short|ends before|not complete|no chunk|empty|damaged|NOT WHOLE|matches/;

/** Has the program hear signals a little later than its input's end, as it may. */
const LATE = `
import { writeFileSync } from 'node:fs';
const { on, off } = process;
const late = new Map();
process.on = (name, hear) => {
  if (name !== 'SIGINT') return on.call(process, name, hear);
  late.set(hear, () => setTimeout(hear, 25));
  on.call(process, name, late.get(hear));
  writeFileSync(process.env.SIGNS + '/listening', '');
  return process;
};
process.off = (name, hear) => off.call(process, name, late.get(hear) ?? hear);
`;
const HEARS_LATE = `--import=data:text/javascript;base64,${Buffer.from(LATE).toString('base64')}`;

describe('the input ends just before the signal comes', () => {
  const calls: [words: string, input: Buffer][] = [
    ['-x -C TARGET', begun],
    ['extract - -C TARGET', begun],
    ['extract - -C TARGET --keep-going', begun],
    ['extract - -C TARGET never*', begun],
    ['verify -', begun],
    ['verify --deep --digest sha1 -', begun],
    ['tar - -o TARGET/tar', begun],
    ['list -', begun],
    ['info -', begun],
    ['cat - d/a', begun],
    ['-x -C TARGET', Buffer.alloc(0)],
    ['list -', Buffer.alloc(0)],
    ['create --from-tar -o TARGET/made', member('a', 'x'.repeat(2000)).subarray(0, 1500)],
  ];
  for (const [words, input] of calls) {
    test(`${words}${input.length === 0 ? ', nothing has come' : ''}`, async (context) => {
      const target = tempDir(context);
      fs.writeFileSync(join(target, 'input'), input);
      const pipeline = `trap : INT; { cat '${target}/input'; exec sleep 60; } | "$@"; echo "ended with \${PIPESTATUS[1]}" >&2`;
      const child = spawn(
        'bash',
        ['-c', pipeline, 'bash', process.execPath, PROGRAM, ...words.replaceAll('TARGET', target).split(' ')],
        {
          detached: true,
          env: { ...process.env, NO_COLOR: '1', NODE_OPTIONS: HEARS_LATE, SIGNS: target },
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
      const stderr = text(child.stderr);
      await untilExists(join(target, 'listening'));
      if (words.startsWith('-x') && input.length > 0) await untilExists(join(target, 'd/.a.partial'));
      process.kill(-child.pid!, 'SIGINT');
      const said = await stderr;
      assert.match(said, /^tsxbstream: interrupted by SIGINT\nended with 130$/m);
      assert.doesNotMatch(said, DAMAGE);
    });
  }
});

test('the reader of the output ends just before the signal comes', async (context) => {
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, file('a', Buffer.alloc(2 ** 22, 'x')));
  for (const words of [
    ['cat', path, 'a'],
    ['tar', path],
  ]) {
    const { child, ended } = start(words);
    child.stdout!.once('data', () => {
      child.stdout!.destroy();
      setTimeout(() => child.kill('SIGINT'), 20);
    });
    const { signal, stderr } = await ended;
    assert.deepEqual([signal, stderr], ['SIGINT', 'tsxbstream: interrupted by SIGINT\n']);
  }
});

test('without a signal the cut is told', async (context) => {
  const result = await run(['-x', '-C', tempDir(context)], { stdin: { kind: 'pipe', bytes: begun } });
  assertEnded(result, EXIT.incomplete, /ends before d\/a is complete/);
});

test('Ctrl-C on a terminal: pv ... | tsxbstream extract -', async (context) => {
  if (!hasProgram(context, 'pv', 'pv') || !hasProgram(context, 'script', 'util-linux')) return;
  const directory = tempDir(context);
  fs.writeFileSync(join(directory, 'archive'), archive(begun, file('large', Buffer.alloc(2 ** 20))));
  const command = `pv -q -L 2k archive | '${process.execPath}' '${PROGRAM}' extract - -C target`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1' },
  });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  await untilExists(join(directory, 'target/.large.partial'));
  child.stdin.write('\x03');
  await until('it ends', () => child.exitCode !== null || child.signalCode !== null);
  assert.match(output, /tsxbstream: interrupted by SIGINT/);
  assert.doesNotMatch(output, DAMAGE);
});
