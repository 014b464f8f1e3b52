/** What the verbs have in common that make one file out of many. */
import type { XbstreamError } from '../../errors.js';
import type { InputChoice } from '../../input/open-source.js';
import { isGood, type Outcome } from '../../outcome.js';
import { outputName, type OutputChoice } from '../../output/archive-target.js';
import { makeReporter, type Shown } from '../../ui/make-reporter.js';
import type { MadeSummary, MakeReporter, StatusPrinter } from '../../ui/reporter.js';
import type { OptionTable } from '../options/option.js';
import { inThread, type Work } from '../threads/start.js';
import { tellProblems, type VerbDefinition } from '../verb.js';

/** What each of them is told. */
interface MakingOptions extends Shown {
  json: boolean;
  /** What it reads, where that is one archive. */
  input?: InputChoice;
  output: OutputChoice;
}

/** What the making has come to. */
export type MakeTotals = Pick<MadeSummary, 'files' | 'bytes' | 'outputBytes' | 'archiveBytes'>;

/** Whoever reads what is made may go away (`| head`): then nobody is left who wants to know. */
export function isHeard({ systemCode }: XbstreamError): boolean {
  return systemCode !== 'EPIPE';
}

/** All but what the verb can be told: the file is made in a thread of its own. */
type Making<Options extends MakingOptions> = Required<
  Pick<
    VerbDefinition<OptionTable, Options, MadeSummary, MakeReporter & StatusPrinter>,
    'run' | 'reporter' | 'tell' | 'leavesFiles'
  >
>;

export function making<Options extends MakingOptions>(work: Work<Options, MakeTotals>): Making<Options> {
  return {
    run: async (options, context): Promise<Outcome<MadeSummary>> => {
      const started = performance.now();
      const outcome = await inThread(work, options, options, context);
      const { summary, problems, stopped } = outcome;
      if (summary === undefined) return { summary, problems, stopped };
      const elapsedSeconds = (performance.now() - started) / 1000;
      const made = { ok: isGood(outcome), ...summary, elapsedSeconds, outputName: outputName(options.output) };
      return { summary: made, problems, stopped };
    },

    reporter: (options, streams, paint) =>
      // Only where what is made goes to a file, stdout is free for saying so.
      makeReporter({ ...options, dryRun: false, closingLine: options.output.kind === 'path' }, streams, paint),

    tell: ({ summary, problems }, reporter) => {
      tellProblems(problems.filter(isHeard), reporter);
      if (summary !== undefined) reporter.made(summary);
    },

    leavesFiles: ({ output }) => output.kind === 'path',
  };
}
