/** Runs the verbs that look into an archive. */
import type { ReporterSurroundings } from '../ui/make-reporter.js';
import type { VerbCall } from './call.js';
import { runVerb, type VerbRunTools } from './verb-run.js';

/** A call of a verb that looks into an archive. */
export type InspectionCall = Extract<VerbCall, { kind: 'list' | 'verify' | 'info' | 'cat' }>;

/** Each verb is loaded when it is called. @returns the exit code */
export async function runInspection(
  call: InspectionCall,
  streams: ReporterSurroundings,
  tools: Omit<VerbRunTools<never>, 'reporter'>,
): Promise<number> {
  const { paint } = tools;
  const printers = await import('../ui/make-inspect-reporter.js');
  switch (call.kind) {
    case 'list': {
      const { list } = await import('../commands/list.js');
      const reporter = printers.makeListReporter(call.choices, streams, paint);
      return runVerb((told, signal) => list(call.options, told, signal), { ...tools, reporter });
    }
    case 'verify': {
      const { verify } = await import('../commands/verify.js');
      const reporter = printers.makeVerifyReporter(call.choices, streams, paint);
      return runVerb((told, signal) => verify(call.options, told, signal), { ...tools, reporter });
    }
    case 'info': {
      const { info } = await import('../commands/info.js');
      const reporter = printers.makeInfoReporter(call.choices, streams, paint);
      return runVerb((told, signal) => info(call.options, told, signal), { ...tools, reporter });
    }
    case 'cat': {
      const { cat } = await import('../commands/cat.js');
      const { stdoutSink } = await import('./stdout-sink.js');
      const reporter = printers.makePlainReporter(call.choices, streams, paint);
      const sink = stdoutSink(streams.stdout);
      return runVerb((told, signal) => cat(call.options, sink, told, signal), { ...tools, reporter });
    }
  }
}
