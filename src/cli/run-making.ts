/** Runs the verbs that make one file of many. */
import { makeReporter, type ReporterSurroundings } from '../ui/make-reporter.js';
import type { VerbCall } from './call.js';
import { runVerb, type VerbRunTools } from './verb-run.js';

/** A call of a verb that makes one file of many. */
export type MakingCall = Extract<VerbCall, { kind: 'create' | 'convert-to-tar' }>;

/** Each verb is loaded when it is called. @returns the exit code */
export async function runMaking(
  call: MakingCall,
  streams: ReporterSurroundings,
  tools: Omit<VerbRunTools<never>, 'reporter'>,
): Promise<number> {
  const reporter = makeReporter(call.choices, streams, tools.paint);
  switch (call.kind) {
    case 'create': {
      const { create } = await import('../commands/create.js');
      return runVerb((told, signal) => create(call.options, told, signal), { ...tools, reporter });
    }
    case 'convert-to-tar': {
      const { convertToTar } = await import('../commands/convert-to-tar.js');
      return runVerb((told, signal) => convertToTar(call.options, told, signal), { ...tools, reporter });
    }
  }
}
