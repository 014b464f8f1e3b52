import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePaint, choosePaints, plainPaint, wantsColor } from '../../dist/ui/paint.js';
import { CollectingStream } from './collecting-stream.js';

test('colour on a terminal that can do it, unless NO_COLOR says otherwise', () => {
  assert.equal(wantsColor('auto', true, {}), true);
  assert.equal(wantsColor('auto', false, {}), false);
  assert.equal(wantsColor('auto', true, { NO_COLOR: '1' }), false);
  // https://no-color.org: only when it is not empty.
  assert.equal(wantsColor('auto', true, { NO_COLOR: '' }), true);
  assert.equal(wantsColor('auto', true, { TERM: 'dumb' }), false);
});

test('what is asked for on the command line wins', () => {
  assert.equal(wantsColor('always', false, { NO_COLOR: '1' }), true);
  assert.equal(wantsColor('never', true, {}), false);
});

test('the colours', async () => {
  assert.equal(await choosePaint('never', true, {}), plainPaint);
  const paint = await choosePaint('always', false, {});
  assert.deepEqual(
    [paint.success('s'), paint.failure('a'), paint.caution('b'), paint.advice('c')],
    ['\x1b[32ms\x1b[39m', '\x1b[1m\x1b[31ma\x1b[39m\x1b[22m', '\x1b[1m\x1b[33mb\x1b[39m\x1b[22m', '\x1b[36mc\x1b[39m'],
  );
});

test('each stream has its own: a file that results go to gets none of what a terminal does', async () => {
  const stdout = new CollectingStream();
  const stderr = new CollectingStream(80);
  const paint = await choosePaints('auto', { stdout, stderr }, {});
  assert.deepEqual([paint(stdout).failure('a'), paint(stderr).success('a')], ['a', '\x1b[32ma\x1b[39m']);
});
