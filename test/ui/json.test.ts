import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { XbstreamError } from '../../dist/errors.js';
import { JsonReporter } from '../../dist/ui/json/json.js';
import { plainPaint } from '../../dist/ui/paint.js';
import type { ExtractSummary, Reporter } from '../../dist/ui/reporter.js';
import { CollectingStream } from './collecting-stream.js';

const SUMMARY: ExtractSummary = {
  ok: true,
  files: 8,
  bytes: 120000,
  archiveBytes: 123456,
  elapsedSeconds: 0.42,
  target: 'restored',
  dryRun: false,
  keptFiles: 0,
  digests: {},
  archiveName: '-',
};

/** Ends a run that has told no summary. */
const NOTHING = '{"type":"summary","ok":false,"archiveBytes":0,"elapsedSeconds":0}\n';

/** What is printed, with no time taken. */
function printed(tell: (reporter: Reporter) => void, progress = false): { stdout: string; stderr: string } {
  const stdout = new CollectingStream();
  const stderr = new CollectingStream();
  const reporter = new JsonReporter({
    results: stdout,
    problems: stderr,
    paint: () => plainPaint,
    progress,
    verbose: false,
  });
  tell(reporter);
  reporter.close();
  return { stdout: stdout.text.replace(/("elapsedSeconds":)[\d.]+/, '$10'), stderr: stderr.text };
}

test('a run that fails: the summary is the last line, though the error comes after it', () => {
  const tell = (reporter: Reporter): void => {
    reporter.progress({ bytes: 1048576, totalBytes: 4194304 });
    reporter.file({ path: 'db1/t1.ibd', bytes: 98304 });
    reporter.warning('this file system keeps no holes');
    reporter.extracted({ ...SUMMARY, ok: false });
    reporter.error(
      new XbstreamError('XB_MISSING_EOF', 'db1/t2.ibd is incomplete', {
        path: rawPath('db1/t2.ibd'),
        partial: 'db1/.t2.ibd.partial',
      }),
    );
  };
  assert.deepEqual(printed(tell), {
    stdout: `{"type":"file","path":"db1/t1.ibd","bytes":98304}
{"type":"warning","message":"this file system keeps no holes"}
{"type":"error","code":"XB_MISSING_EOF","path":"db1/t2.ibd","message":"db1/t2.ibd is incomplete","partial":"db1/.t2.ibd.partial"}
{"type":"summary","ok":false,"files":8,"bytes":120000,"archiveBytes":123456,"elapsedSeconds":0}
`,
    stderr: `tsxbstream: warning: this file system keeps no holes
tsxbstream: db1/t2.ibd is incomplete
`,
  });
});

test('nothing comes behind the summary, though a thread that was left behind goes on', () => {
  const tell = (reporter: Reporter): void => {
    reporter.close();
    reporter.file({ path: 'a', bytes: 1 });
    reporter.progress({ bytes: 2 });
    reporter.warning('late');
  };
  const { stdout, stderr } = printed(tell, true);
  assert.equal(stdout, NOTHING);
  assert.match(stderr, /warning: late/);
});

test('everything an error can say', () => {
  const error = new XbstreamError('XB_IO', 'cannot write', {
    path: rawPath('t\xfc'),
    partial: '.t\xfc.partial',
    archiveOffset: 42,
    systemCode: 'ENOSPC',
    details: ['a', 'b'],
    hints: ['c'],
  });
  assert.deepEqual(
    printed((reporter) => reporter.error(error)),
    {
      stdout:
        '{"type":"error","code":"XB_IO","path":"t\ufffd","pathBase64":"dPw=","message":"cannot write",' +
        '"partial":".t\ufffd.partial","partialBase64":"LnT8LnBhcnRpYWw=","archiveOffset":42,"systemCode":"ENOSPC",' +
        '"details":["a","b"],"hints":["c"]}\n' +
        NOTHING,
      stderr: 'tsxbstream: cannot write\n  a\n  b\n  c\n',
    },
  );
});

test('everything a summary can say', () => {
  const summary = {
    ...SUMMARY,
    keptFiles: 2,
    dryRun: true,
    freeBytes: 999,
    digests: { sha1: 'da39a3ee', md5: 'd41d8cd9' },
  };
  assert.deepEqual(
    printed((reporter) => reporter.extracted(summary)),
    {
      stdout:
        '{"type":"summary","ok":true,"files":8,"bytes":120000,"keptFiles":2,"dryRun":true,"freeBytes":999,' +
        '"digests":{"sha1":"da39a3ee","md5":"d41d8cd9"},"archiveBytes":123456,"elapsedSeconds":0}\n',
      stderr: '',
    },
  );
});

test('progress only where it was asked for; without a total where there is none', () => {
  const tell = (reporter: Reporter): void => {
    reporter.progress({ bytes: 1048576, totalBytes: 4194304 });
    reporter.progress({ bytes: 2097152 });
  };
  assert.equal(printed(tell).stdout, NOTHING);
  assert.equal(
    printed(tell, true).stdout,
    '{"type":"progress","bytes":1048576,"totalBytes":4194304}\n{"type":"progress","bytes":2097152}\n' + NOTHING,
  );
});

test('a line is safe on a terminal, and says to a parser exactly what was stored', () => {
  const path = 'a\u009b31m\u202e\u200b\x7f\u{e0041}\n"表';
  const printedText = printed((reporter) => reporter.file({ path: Buffer.from(path).toString('latin1'), bytes: 1 }));
  const stdout = printedText.stdout.replace(NOTHING, '');
  assert.equal(
    stdout,
    String.raw`{"type":"file","path":"a\u009b31m\u202e\u200b\u007f\udb40\udc41\n\"表","bytes":1}` + '\n',
  );
  assert.deepEqual(JSON.parse(stdout), { type: 'file', path, bytes: 1 });
});
