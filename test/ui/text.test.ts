import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XbstreamError } from '../../dist/errors.js';
import { choosePaint, plainPaint } from '../../dist/ui/paint.js';
import type { ExtractSummary, Reporter } from '../../dist/ui/reporter.js';
import { TextReporter, type TextSettings } from '../../dist/ui/text/text.js';
import { CollectingStream } from './collecting-stream.js';

const MIB = 1024 ** 2;

const SUMMARY: ExtractSummary = {
  ok: true,
  files: 9,
  bytes: 118 * MIB,
  archiveBytes: 120 * MIB,
  elapsedSeconds: 0.42,
  target: 'restored',
  dryRun: false,
  keptFiles: 0,
  digests: {},
  archiveName: 'backup.xbstream',
};

const CRC_ERROR = new XbstreamError('XB_BAD_CRC', 'checksum mismatch in test/sbtest1.ibd', {
  details: [
    'chunk at archive byte 41943192, payload bytes 10485760-20971519 of the file',
    'expected crc32 8d1f32aa, found 17c0e9b2',
    'the file was left as test/.sbtest1.ibd.partial; 14 files before it are complete',
  ],
  hints: ['to save every undamaged file: tsxbstream extract --keep-going'],
});

/** What a verb prints on stdout and stderr; for the xbstream form pass `toStderr`. */
function printed(
  tell: (reporter: Reporter) => void,
  { toStderr = false, ...settings }: Partial<TextSettings> & { toStderr?: boolean } = {},
): { stdout: string; stderr: string } {
  const stdout = new CollectingStream();
  const stderr = new CollectingStream();
  const reporter = new TextReporter({
    results: toStderr ? stderr : stdout,
    problems: stderr,
    paint: () => plainPaint,
    quiet: false,
    verbose: false,
    dryRun: false,
    closingLine: !toStderr,
    ...settings,
  });
  tell(reporter);
  reporter.close();
  return { stdout: stdout.text, stderr: stderr.text };
}

function wholeRun(summary: Partial<ExtractSummary> = {}): (reporter: Reporter) => void {
  return (reporter) => {
    reporter.progress({ bytes: 60 * MIB, totalBytes: 120 * MIB });
    reporter.file({ path: 'db1/t1.ibd', bytes: 98304 });
    reporter.file({ path: 'db1/t\xc3\xbcble\x1b[2J\xff.ibd', bytes: 117 * MIB });
    reporter.extracted({ ...SUMMARY, ...summary });
  };
}

test('a verb closes with one line on stdout', () => {
  assert.deepEqual(printed(wholeRun()), {
    stdout: 'unpacked 9 files (118 MiB from 120 MiB of archive) into restored in 0.42 s, 286 MiB/s of archive\n',
    stderr: '',
  });
});

test('files that were kept are told, and no rate of a moment', () => {
  assert.deepEqual(printed(wholeRun({ keptFiles: 2, elapsedSeconds: 0.04, target: 'a\nb' })), {
    stdout:
      String.raw`unpacked 9 files, 2 of them kept as they were (118 MiB from 120 MiB of archive) into a\x0ab in 0.04 s` +
      '\n',
    stderr: '',
  });
});

test('the xbstream form is silent when all is well', () => {
  assert.deepEqual(printed(wholeRun(), { toStderr: true }), { stdout: '', stderr: '' });
});

test('the xbstream form names files on stderr with -v, and prints nothing on stdout', () => {
  assert.deepEqual(printed(wholeRun(), { toStderr: true, verbose: true }), {
    stdout: '',
    stderr: String.raw`db1/t1.ibd
db1/tüble\x1b[2J\xff.ibd
`,
  });
});

test('a verb names files on stdout with -v', () => {
  assert.deepEqual(printed(wholeRun(), { verbose: true }), {
    stdout: String.raw`db1/t1.ibd
db1/tüble\x1b[2J\xff.ibd
unpacked 9 files (118 MiB from 120 MiB of archive) into restored in 0.42 s, 286 MiB/s of archive
`,
    stderr: '',
  });
});

test('-q leaves nothing but warnings and errors', () => {
  const tell = (reporter: Reporter): void => {
    reporter.warning('this file system keeps no holes');
    wholeRun()(reporter);
  };
  assert.deepEqual(printed(tell, { quiet: true }), {
    stdout: '',
    stderr: 'tsxbstream: warning: this file system keeps no holes\n',
  });
});

test('a dry run tells sizes, what is needed and what is free', () => {
  assert.deepEqual(printed(wholeRun({ dryRun: true, freeBytes: 42 * 1024 * MIB }), { dryRun: true }), {
    stdout: String.raw` 96.0 KiB  db1/t1.ibd
  117 MiB  db1/tüble\x1b[2J\xff.ibd
would unpack 9 files (118 MiB from 120 MiB of archive) into restored; 42.0 GiB free there
`,
    stderr: '',
  });
});

test('a dry run tells when it would not fit', () => {
  assert.deepEqual(printed(wholeRun({ dryRun: true, freeBytes: 100 * MIB }), { dryRun: true, toStderr: true }), {
    stdout: '',
    stderr: String.raw` 96.0 KiB  db1/t1.ibd
  117 MiB  db1/tüble\x1b[2J\xff.ibd
would unpack 9 files (118 MiB from 120 MiB of archive) into restored; 100 MiB free there: 18.0 MiB too little
`,
  });
});

const DIGESTS = { digests: { sha1: 'da39a3ee', md5: 'd41d8cd9' } };

test('digests look like those of sha1sum, and -q does not silence what was asked for', () => {
  assert.deepEqual(printed(wholeRun(DIGESTS), { quiet: true }), {
    stdout: 'da39a3ee  backup.xbstream\nd41d8cd9  backup.xbstream\n',
    stderr: '',
  });
  assert.deepEqual(printed(wholeRun({ ...DIGESTS, archiveName: '-' }), { toStderr: true }), {
    stdout: '',
    stderr: 'da39a3ee  -\nd41d8cd9  -\n',
  });
});

test('an error tells what happened, where, and what to do next', () => {
  const tell = (reporter: Reporter): void => {
    reporter.extracted({ ...SUMMARY, ...DIGESTS, ok: false });
    reporter.error(CRC_ERROR);
  };
  assert.deepEqual(printed(tell), {
    stdout: '',
    stderr: `tsxbstream: checksum mismatch in test/sbtest1.ibd
  chunk at archive byte 41943192, payload bytes 10485760-20971519 of the file
  expected crc32 8d1f32aa, found 17c0e9b2
  the file was left as test/.sbtest1.ibd.partial; 14 files before it are complete
  to save every undamaged file: tsxbstream extract --keep-going
`,
  });
});

test('nothing that an archive puts into an error or a warning reaches the terminal, nor passes for a line of ours', () => {
  const evil = 'x\x1b[1A\x9b2K\r\ntsxbstream: all is well\u202e';
  const tell = (reporter: Reporter): void => {
    reporter.error(new XbstreamError('XB_UNSAFE_PATH', evil, { details: [evil], hints: [evil] }));
    reporter.warning(evil);
  };
  const safe = String.raw`x\x1b[1A\x9b2K\x0d\x0atsxbstream: all is well\u{202e}`;
  assert.equal(printed(tell).stderr, `tsxbstream: ${safe}\n  ${safe}\n  ${safe}\ntsxbstream: warning: ${safe}\n`);
});

test('in colour', async () => {
  const colours = await choosePaint('always', false, {});
  const tell = (reporter: Reporter): void => {
    reporter.warning('one');
    reporter.error(new XbstreamError('XB_IO', 'two', { details: ['three'], hints: ['four'] }));
  };
  assert.equal(
    printed(tell, { paint: () => colours }).stderr,
    '\x1b[1m\x1b[33mtsxbstream: warning:\x1b[39m\x1b[22m one\n' +
      '\x1b[1m\x1b[31mtsxbstream:\x1b[39m\x1b[22m two\n  three\n  \x1b[36mfour\x1b[39m\n',
  );
});
