/** `--chown`: what is restored belongs to the server's user, and nothing else does. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { extract } from 'tsxbstream';
import { archive, end, file, payload, rename } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const NOBODY = Number(execFileSync('id', ['-u', 'nobody']));
const NOGROUP = Number(execFileSync('id', ['-g', 'nobody']));

const stdin = {
  kind: 'pipe',
  bytes: archive(
    file('ibdata1', 'x'.repeat(300_000), 100_000),
    ...Array.from({ length: 40 }, (_, index) => file(`shop/t${index}.ibd`, 'small')),
    end('shop/empty.ibd'),
    file('a/b/c', 'y'),
    file('old/name', 'z'),
    rename('old/name', 'new/name'),
  ),
} as const;

/** `uid:gid` of everything below a folder. */
function owners(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    ['.', ...names].map((name) => {
      const { uid, gid } = fs.lstatSync(join(folder, name));
      return [name, `${uid}:${gid}`];
    }),
  );
}

describe('--chown', { concurrency: true }, () => {
  const given = [
    ['nobody:nogroup', NOBODY, NOGROUP],
    ['nobody:', NOBODY, NOGROUP],
    ['nobody', NOBODY, 0],
    [':nogroup', 0, NOGROUP],
    ['4711:4712', 4711, 4712],
  ] as const;
  for (const [owner, uid, gid] of sampled(given, 2)) {
    test(`${owner}: files, and directories that were made`, async (context) => {
      if (!isRoot(context)) return;
      const above = join(tempDir(context), 'above');
      const target = join(above, 'made');
      const { code, stderr } = await run(['extract', '--chown', owner, '-C', target], { stdin });
      assert.deepEqual([code, stderr], [EXIT.ok, '']);
      const found = owners(above);
      assert.equal(Object.keys(found).length, 1 + 1 + 1 + 42 + 3 + 3);
      assert.deepEqual([...new Set(Object.values(found))], [`${uid}:${gid}`]);
    });
  }

  test('a target that was there keeps its owner, however it is named', async (context) => {
    if (!isRoot(context)) return;
    const folder = tempDir(context);
    fs.mkdirSync(join(folder, 'there'));
    const target = `${folder}/new/../there`;
    assert.equal((await run(['extract', '--chown=nobody:nogroup', '-C', target], { stdin })).code, EXIT.ok);
    const found = owners(folder);
    assert.deepEqual([found['there'], found['there/shop']], ['0:0', `${NOBODY}:${NOGROUP}`]);
  });

  test('root without the capability is told at once, and whoever has it may', async (context) => {
    if (!isRoot(context) || !hasProgram(context, 'setpriv', 'util-linux')) return;
    const target = tempDir(context);
    const without = ['setpriv', '--bounding-set=-chown', '--inh-caps=-chown'];
    const refused = await run(['-x', '--chown=nobody', '-C', target], { stdin, wrapper: without });
    assert.deepEqual([refused.code, fs.readdirSync(target)], [EXIT.refused, []], refused.stderr);
  });

  test('what was there keeps its owner', async (context) => {
    if (!isRoot(context)) return;
    const target = tempDir(context);
    fs.mkdirSync(join(target, 'a'));
    fs.writeFileSync(join(target, 'ibdata1'), 'x'.repeat(300_000));
    const { code } = await run(['-x', '--skip-existing', '--chown=nobody:nogroup', '--fsync', '-C', target], { stdin });
    assert.equal(code, EXIT.ok);
    const found = owners(target);
    assert.deepEqual(
      ['.', 'a', 'ibdata1', 'a/b', 'a/b/c', 'shop'].map((name) => found[name] === '0:0'),
      [true, true, true, false, false, false],
    );
  });

  test('an extraction that was cut short and is run again leaves nothing of its own', async (context) => {
    if (!isRoot(context)) return;
    const target = join(tempDir(context), 'made');
    const cut = { kind: 'pipe', bytes: stdin.bytes.subarray(0, 302_000) } as const;
    const words = ['extract', '--chown', 'nobody:nogroup', '--skip-existing', '-C', target];
    assert.equal((await run(words, { stdin: cut })).code, EXIT.incomplete);
    assert.ok(fs.existsSync(join(target, 'shop')));
    const { code, stderr } = await run(words, { stdin });
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.deepEqual([...new Set(Object.values(owners(target)))], [`${NOBODY}:${NOGROUP}`]);
  });

  test('what is not whole is not given away', async (context) => {
    if (!isRoot(context)) return;
    const target = tempDir(context);
    const cut = archive(file('whole', 'x'), payload('cut', 0, 'y'));
    const cutInput = { kind: 'pipe', bytes: cut } as const;
    const { code } = await run(['-x', '--chown=nobody:nogroup', '-C', target], { stdin: cutInput });
    assert.equal(code, EXIT.incomplete);
    assert.deepEqual(owners(target), { '.': '0:0', '.cut.partial': '0:0', whole: `${NOBODY}:${NOGROUP}` });
  });

  test('who may not give files away is told before anything is written', async (context) => {
    if (!isRoot(context) || !hasProgram(context, 'setpriv', 'util-linux')) return;
    const target = tempDir(context);
    fs.chownSync(target, NOBODY, NOGROUP);
    // It may read what is root's alone: the project may lie there.
    const reading = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
    const wrapper = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOGROUP}`, '--clear-groups', ...reading];
    const refused = await run(['-x', '--chown=root', '-C', target], { stdin, wrapper });
    const { code, stderr } = refused;
    assert.deepEqual([code, fs.readdirSync(target)], [EXIT.refused, []], stderr);
    assert.match(stderr, /only root can give files to somebody else/);
    const own = await run(['-x', '--chown=nobody:nogroup', '-C', target], { stdin, wrapper });
    assert.equal(own.code, EXIT.ok, own.stderr);
  });

  const wrong = [
    ['no-such-user:nogroup', /there is no user "no-such-user"/],
    ['nobody:no-such-group', /there is no group "no-such-group"/],
    ['4711:', /which group the user "4711" logs in to is not known/],
    [':', /takes a user, a group, or both/],
    ['a:b:c', /takes a user, a group, or both/],
    ['4294967295', /there is no user/],
  ] as const;
  for (const [owner, said] of sampled(wrong, 2)) {
    test(`${owner} is refused`, async (context) => {
      const { code, stderr } = await run(['-x', '--chown', owner, '-C', tempDir(context)], { stdin });
      assert.equal(code, EXIT.usage);
      assert.match(stderr, said);
    });
  }

  test('in the library', async (context) => {
    if (!isRoot(context)) return;
    const target = join(tempDir(context), 'made');
    await extract([stdin.bytes], target, { owner: { uid: 4711 } });
    assert.deepEqual([...new Set(Object.values(owners(target)))], ['4711:0']);
    for (const owner of [{}, { uid: -1 }, { uid: 2 ** 32 - 1 }, { gid: 1.5 }, { user: 1 }, 'mysql']) {
      await assert.rejects(extract([stdin.bytes], target, { owner: owner as { uid: number } }), { code: 'XB_USAGE' });
    }
  });
});
