/** Runs the verb that is called. Each is loaded only then: `--help` needs none of them. */
import type { ExtractOptions } from '../engine/extract-options.js';
import { makeReporter, type ReporterSurroundings } from '../ui/make-reporter.js';
import type { CommonReporter, Reporter, StatusPrinter } from '../ui/reporter.js';
import type { VerbCall } from './call.js';
import { runVerb, type Verb, type VerbRunTools } from './verb-run.js';

/** The work behind verbs that tests have done by something else. */
export interface Verbs {
  extract(options: ExtractOptions, reporter: Reporter, signal: AbortSignal): Promise<void>;
}

const VERBS: Verbs = {
  async extract(options, reporter, signal) {
    const { extract } = await import('../commands/extract.js');
    await extract(options, reporter, signal);
  },
};

/** @returns the exit code */
export async function runCall(
  call: VerbCall,
  streams: ReporterSurroundings,
  tools: Omit<VerbRunTools<never>, 'reporter'>,
  verbs: Verbs = VERBS,
): Promise<number> {
  const { paint } = tools;
  const runWith = <To extends CommonReporter & StatusPrinter>(
    reporter: To,
    verb: Verb<To>,
    leavesFiles = false,
  ): Promise<number> => {
    for (const warning of call.warnings ?? []) reporter.warning(warning);
    return runVerb(verb, { ...tools, reporter, leavesFiles });
  };
  switch (call.kind) {
    case 'extract':
      return runWith(
        makeReporter(call.choices, streams, paint),
        (reporter, signal) => verbs.extract(call.options, reporter, signal),
        true,
      );
    case 'create': {
      const { create } = await import('../commands/create.js');
      return runWith(
        makeReporter(call.choices, streams, paint),
        (reporter, signal) => create(call.options, reporter, signal),
        call.options.output.kind === 'path',
      );
    }
    case 'convert-to-tar': {
      const { convertToTar } = await import('../commands/convert-to-tar.js');
      return runWith(
        makeReporter(call.choices, streams, paint),
        (reporter, signal) => convertToTar(call.options, reporter, signal),
        call.options.output.kind === 'path',
      );
    }
    case 'list': {
      const { list } = await import('../commands/list.js');
      const { makeListReporter } = await import('../ui/make-inspect-reporter.js');
      return runWith(makeListReporter(call.choices, streams, paint), (reporter, signal) =>
        list(call.options, reporter, signal),
      );
    }
    case 'verify': {
      const { verify } = await import('../commands/verify.js');
      const { makeVerifyReporter } = await import('../ui/make-inspect-reporter.js');
      return runWith(makeVerifyReporter(call.choices, streams, paint), (reporter, signal) =>
        verify(call.options, reporter, signal),
      );
    }
    case 'info': {
      const { info } = await import('../commands/info.js');
      const { makeInfoReporter } = await import('../ui/make-inspect-reporter.js');
      return runWith(makeInfoReporter(call.choices, streams, paint), (reporter, signal) =>
        info(call.options, reporter, signal),
      );
    }
    case 'cat': {
      const { cat } = await import('../commands/cat.js');
      const { makePlainReporter } = await import('../ui/make-inspect-reporter.js');
      const { stdoutSink } = await import('./stdout-sink.js');
      const sink = stdoutSink(streams.stdout);
      return runWith(makePlainReporter(call.choices, streams, paint), (reporter, signal) =>
        cat(call.options, sink, reporter, signal),
      );
    }
  }
}
