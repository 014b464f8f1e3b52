/** From the command line to the exit code. */
import { isatty } from 'node:tty';
import { errorFromRecord, errorToRecord, XbstreamError } from '../errors.js';
import { shownText } from '../input/address/address.js';
import { errorText } from '../ui/text/error-text.js';
import { errorFields, failedSummaryLine, jsonLine } from '../ui/json/json-line.js';
import type { ReporterSurroundings } from '../ui/make-reporter.js';
import { choosePaints } from '../ui/paint.js';
import { bugText } from './bug-text.js';
import type { VerbCall, VerbRun } from '../verbs/verb.js';
import { readCall, wishesOf, type Call } from './call.js';
import { EXIT_OK, EXIT_REFUSED, exitCodeFor } from './exit-codes.js';
import { Outputs } from './outputs.js';
import { runVerb } from './verb-run.js';

/** What of the process a run depends on. */
export interface Surroundings extends ReporterSurroundings {
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
}

/** Puts something else in the place of a verb's run. */
export type Substitute = (run: VerbRun, call: VerbCall) => VerbRun;

/** @returns the exit code */
export async function run(surroundings: Surroundings, substitute: Substitute = (verbRun) => verbRun): Promise<number> {
  const { argv, stdout, stderr, env } = surroundings;
  const started = performance.now();
  const outputs = new Outputs(stdout, stderr);
  const isDebugging = (env['TSXBSTREAM_DEBUG'] ?? '') !== '';
  let call: Call;
  try {
    call = await readCall({ argv, env, isTerminal: isatty });
  } catch (error) {
    return tellUnreadable(error, surroundings, isDebugging, started);
  }
  if (call.kind === 'text') {
    (call.exitCode === EXIT_OK ? stdout : stderr).write(call.text);
    await outputs.flushed();
    return outputs.failure === undefined ? call.exitCode : EXIT_REFUSED;
  }
  const { options, warnings } = call;
  const paint = await choosePaints(options.color, surroundings, env);
  const verbRun = substitute(call.begin(surroundings, paint), call);
  for (const warning of warnings) verbRun.reporter.warning(warning);
  const { input } = options;
  return runVerb(verbRun, { input, outputs, stderr, paint: paint(stderr), showStack: options.verbose || isDebugging });
}

/** Answers a command line that cannot be followed. @param started as `performance.now` had it @returns the exit code */
async function tellUnreadable(
  error: unknown,
  surroundings: Surroundings,
  isDebugging: boolean,
  started: number,
): Promise<number> {
  const { argv, stdout, stderr, env } = surroundings;
  const wishes = await wishesOf(argv);
  const paint = (await choosePaints(wishes.color, surroundings, env))(stderr);
  if (!(error instanceof XbstreamError)) {
    stderr.write(bugText(error, isDebugging, paint));
    return EXIT_REFUSED;
  }
  const told = withoutSecrets(error, argv);
  // A program that reads JSON lines is told in them, too.
  if (wishes.json) {
    const elapsedSeconds = Math.round(performance.now() - started) / 1000;
    stdout.write(jsonLine('error', errorFields(told)) + failedSummaryLine(elapsedSeconds));
  }
  stderr.write(errorText(told, paint));
  return exitCodeFor([error.code]);
}

/** An address may have been typed where a table, a user or a digest is expected; the error quotes it. */
function withoutSecrets(error: XbstreamError, argv: readonly string[]): XbstreamError {
  const { message, details, hints, ...facts } = errorToRecord(error);
  const shown = (text: string): string => shownText(text, argv);
  return errorFromRecord({ ...facts, message: shown(message), details: details?.map(shown), hints: hints?.map(shown) });
}
