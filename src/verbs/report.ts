/** `report`: a page about a backup, to look at in a browser. */
import type { InputChoice } from '../input/open-source.js';
import type { Outcome } from '../outcome.js';
import type { OutputChoice } from '../output/archive-target.js';
import { makeVerifyReporter } from '../ui/make-inspect-reporter.js';
import type { StatusPrinter, Verification, VerifyReporter } from '../ui/reporter.js';
import { INFO_OPTIONS } from './info.js';
import { isHeard } from './make/making.js';
import { madeOutput, readArchive } from './options/inputs.js';
import { omit, pick, type Told } from './options/option.js';
import { OPTIONS, OVERWRITE_MADE } from './options/table.js';
import { inThread, work } from './threads/start.js';
import { defineVerb, tellProblems } from './verb.js';

const CALL = 'tsxbstream report';

export const REPORT_OPTIONS = {
  ...omit(INFO_OPTIONS, 'index'),
  ...pick(OPTIONS, 'output'),
  overwrite: OVERWRITE_MADE,
};

/** Everything a report can be told. */
export interface ReportOptions extends Omit<Told<typeof REPORT_OPTIONS>, 'output'> {
  input: InputChoice;
  output: OutputChoice;
}

/** What there is to say of it beside what is wrong. */
export type ReportTotals = Omit<Verification, 'problems'>;

export const REPORT = work<ReportOptions, ReportTotals>('report');

export const report = defineVerb<typeof REPORT_OPTIONS, ReportOptions, Verification, VerifyReporter & StatusPrinter>({
  call: CALL,
  usage: ['tsxbstream report [options] [ARCHIVE]'],
  summary: 'make a page about a backup, to look at in a browser',
  description: [
    'Writes one HTML file to stdout, or to the file that -o names: what backup ARCHIVE (or stdin) holds, whether it is whole, how large its databases and tables are, where in the archive each file lies and what of it is damaged, and what to do next. The file needs no other, asks the network for nothing, and can be sent to others: it holds names and sizes, nothing of what the tables hold.',
    'The whole archive is read and every checksum held, as verify does; the exit code is that of verify.',
  ],
  examples: [
    { command: 'tsxbstream report backup.xbstream -o report.html', purpose: 'a page about a backup' },
    {
      command: 'ssh db1 cat backup.xbstream | tsxbstream report > report.html',
      purpose: 'of a stream',
    },
  ],
  options: REPORT_OPTIONS,

  read: (options, words, surroundings) => {
    const { input } = readArchive(options, words, surroundings, { call: CALL }, false);
    const settings = { ...options, compress: 'none' as const };
    return {
      ...options,
      input,
      output: madeOutput(settings, `${CALL} ARCHIVE`, 'report.html', surroundings.isTerminal),
    };
  },

  run: async (options, context): Promise<Outcome<Verification>> => {
    const { summary, problems, stopped } = await inThread(REPORT, options, options, context);
    return { summary: summary === undefined ? undefined : { ...summary, problems }, problems, stopped };
  },

  reporter: (options, streams, paint): VerifyReporter & StatusPrinter => {
    const results = options.output.kind === 'path' ? streams.stdout : streams.stderr;
    return makeVerifyReporter(
      { ...options, format: options.json ? 'json' : 'text' },
      { ...streams, stdout: results },
      paint,
    );
  },

  tell: ({ summary, problems }, reporter) => {
    if (summary !== undefined) reporter.verified(summary);
    else tellProblems(problems.filter(isHeard), reporter);
  },
  leavesFiles: ({ output }) => output.kind === 'path',
});
