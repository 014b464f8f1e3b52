import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { plainPaint } from '../../dist/ui/paint.js';
import { ProgressDisplay } from '../../dist/ui/progress.js';
import { TextReporter } from '../../dist/ui/text/text.js';
import { CollectingStream, screenOf } from './collecting-stream.js';

const MIB = 1024 ** 2;
/** Longer than the line takes to appear, and than it takes to be drawn anew. */
const LONG_MILLISECONDS = 900;

/** Waits until a terminal or a log shows something; machines under load take their time. */
async function shown(stream: CollectingStream, expected: RegExp): Promise<void> {
  const end = Date.now() + 20_000;
  while (!expected.test(screenOf(stream.text).join('\n')) && Date.now() < end) await sleep(10);
  assert.match(screenOf(stream.text).join('\n'), expected);
}

function reporterOn(stream: CollectingStream): TextReporter {
  return new TextReporter({
    results: stream,
    problems: stream,
    paint: () => plainPaint,
    quiet: false,
    verbose: true,
    dryRun: false,
    closingLine: true,
    progress: new ProgressDisplay(stream),
  });
}

suite('progress', { concurrency: true }, () => {
  test('a short run shows nothing', async () => {
    const terminal = new CollectingStream(80);
    const display = new ProgressDisplay(terminal);
    display.update({ bytes: MIB, totalBytes: 2 * MIB });
    await sleep(50);
    display.close();
    await sleep(LONG_MILLISECONDS);
    assert.equal(terminal.text, '');
  });

  test('one line that is drawn anew, and leaves nothing behind', async () => {
    const terminal = new CollectingStream(80);
    const display = new ProgressDisplay(terminal);
    display.update({ bytes: MIB, totalBytes: 4 * MIB });
    await shown(terminal, /^ 25% {2}\[=+ +\] {2}1\.0 MiB of 4\.0 MiB {2}[\d.]+ [KM]iB\/s {2}ETA 0:\d\d$/);
    display.update({ bytes: 2 * MIB, totalBytes: 4 * MIB });
    await shown(terminal, /^ 50% {2}\[=+ +\] {2}2\.0 MiB of 4\.0 MiB {2}[^\n]*$/);
    display.close();
    assert.deepEqual(screenOf(terminal.text), ['']);
    const length = terminal.text.length;
    await sleep(LONG_MILLISECONDS);
    assert.equal(terminal.text.length, length, 'it went on after it was closed');
  });

  test('it follows the width of the window', async () => {
    const terminal = new CollectingStream(80);
    const display = new ProgressDisplay(terminal);
    display.update({ bytes: MIB });
    await shown(terminal, /^1\.0 MiB read {2}[\d.]+ [KM]iB\/s {2}0:\d\d elapsed$/);
    terminal.columns = 14;
    await shown(terminal, /^1\.0 MiB read$/);
    display.close();
  });

  test('file names, warnings and the closing line stand above it, never in it', async () => {
    const terminal = new CollectingStream(80);
    const reporter = reporterOn(terminal);
    reporter.progress({ bytes: MIB, totalBytes: 4 * MIB });
    reporter.file({ path: 'db1/before.ibd', bytes: 1 });
    await shown(terminal, /^db1\/before.ibd\n 25% {2}\[[^\n]*$/);
    reporter.file({ path: 'db1/during.ibd', bytes: 1 });
    reporter.warning('half of it is done');
    await shown(
      terminal,
      /^db1\/before.ibd\ndb1\/during.ibd\ntsxbstream: warning: half of it is done\n 25% {2}\[[^\n]*$/,
    );
    reporter.file({ path: 'db1/last.ibd', bytes: 1 });
    reporter.extracted({
      ok: true,
      files: 3,
      bytes: 3,
      archiveBytes: 4 * MIB,
      elapsedSeconds: 2,
      target: 'restored',
      dryRun: false,
      keptFiles: 0,
      digests: {},
      archiveName: '-',
    });
    reporter.close();
    assert.deepEqual(screenOf(terminal.text), [
      'db1/before.ibd',
      'db1/during.ibd',
      'tsxbstream: warning: half of it is done',
      'db1/last.ibd',
      'unpacked 3 files (3 B from 4.0 MiB of archive) into restored in 2.0 s, 2.0 MiB/s of archive',
      '',
    ]);
  });

  test('without a terminal it is a plain line every couple of seconds', async () => {
    const log = new CollectingStream();
    const reporter = reporterOn(log);
    reporter.progress({ bytes: MIB, totalBytes: 4 * MIB });
    await shown(log, /^ 25% [^\n]*\n$/);
    reporter.progress({ bytes: 2 * MIB, totalBytes: 4 * MIB });
    reporter.file({ path: 'db1/during.ibd', bytes: 1 });
    await shown(log, / 50% [^\n]*\n$/);
    reporter.close();
    const lines = log.text.split('\n').map((line) => line.slice(0, 14));
    assert.deepEqual(lines, [' 25%  [====== ', 'db1/during.ibd', ' 50%  [=======', ' 50%  [=======', '']);
  });
});
