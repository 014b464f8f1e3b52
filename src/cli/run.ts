/** From the command line to the exit code. */
import { isatty } from 'node:tty';
import type { ExtractOptions } from '../engine/extract-options.js';
import { XbstreamError } from '../errors.js';
import { errorText } from '../ui/error-text.js';
import { errorFields, jsonLine } from '../ui/json-line.js';
import { makeReporter, type ReporterSurroundings } from '../ui/make-reporter.js';
import { choosePaint } from '../ui/paint.js';
import type { Reporter } from '../ui/reporter.js';
import { bugText } from './bug-text.js';
import { isXbstreamForm, readCall, type Call } from './call.js';
import { EXIT_OK, EXIT_REFUSED, exitCodeFor } from './exit-codes.js';
import { Outputs } from './outputs.js';
import { runInspection } from './run-inspection.js';
import { runMaking } from './run-making.js';
import { runVerb } from './verb-run.js';

/** What of the process a run depends on. */
export interface Surroundings extends ReporterSurroundings {
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
}

/** The work behind the verbs. */
export interface Verbs {
  extract(options: ExtractOptions, reporter: Reporter, signal: AbortSignal): Promise<void>;
}

/** Each verb is loaded when it is called: `--help` needs none of them. */
const VERBS: Verbs = {
  async extract(options, reporter, signal) {
    const { extract } = await import('../commands/extract.js');
    await extract(options, reporter, signal);
  },
};

/** @returns the exit code */
export async function run(surroundings: Surroundings, verbs: Verbs = VERBS): Promise<number> {
  const { argv, stdout, stderr, env } = surroundings;
  const outputs = new Outputs(stdout, stderr);
  const isDebugging = (env['TSXBSTREAM_DEBUG'] ?? '') !== '';
  let call: Call;
  try {
    call = await readCall({ argv, env, isTerminal: isatty });
  } catch (error) {
    return tellUnreadable(error, surroundings, isDebugging);
  }
  if (call.kind === 'text') {
    (call.exitCode === EXIT_OK ? stdout : stderr).write(call.text);
    await outputs.flushed();
    return outputs.failure === undefined ? call.exitCode : EXIT_REFUSED;
  }
  const paint = await choosePaint(call.choices.color, stderr.isTTY === true, env);
  const tools = { outputs, stderr, paint, showStack: call.choices.verbose || isDebugging };
  if (call.kind === 'extract') {
    return runVerb((reporter, signal) => verbs.extract(call.options, reporter, signal), {
      ...tools,
      leavesFiles: true,
      reporter: makeReporter(call.choices, surroundings, paint),
    });
  }
  if (call.kind === 'create' || call.kind === 'convert-to-tar') return runMaking(call, surroundings, tools);
  return runInspection(call, surroundings, tools);
}

/** Answers a command line that cannot be followed. @returns the exit code */
async function tellUnreadable(error: unknown, surroundings: Surroundings, isDebugging: boolean): Promise<number> {
  const { argv, stdout, stderr, env } = surroundings;
  const paint = await choosePaint('auto', stderr.isTTY === true, env);
  if (!(error instanceof XbstreamError)) {
    stderr.write(bugText(error, isDebugging, paint));
    return EXIT_REFUSED;
  }
  // A program that reads JSON lines is told in them, too.
  if (argv.includes('--json') && !isXbstreamForm(argv)) stdout.write(jsonLine('error', errorFields(error)));
  stderr.write(errorText(error, paint));
  return exitCodeFor([error.code]);
}
