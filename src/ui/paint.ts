/** What the printers need to know of stdout and stderr. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal, in characters. */
  readonly columns?: number | undefined;
}

/** The few colours there are, by what they mean. */
export interface Paint {
  /** All is well. */
  success(text: string): string;
  /** Something went wrong. */
  failure(text: string): string;
  /** Something to know that is no failure. */
  caution(text: string): string;
  /** Something to do or type next. */
  advice(text: string): string;
}

export type ColorChoice = 'auto' | 'always' | 'never';

const asItIs = (text: string): string => text;

/** No colour at all. */
export const plainPaint: Paint = { success: asItIs, failure: asItIs, caution: asItIs, advice: asItIs };

/**
 * Whether text for a stream is to be coloured. An explicit choice wins; `auto` asks for a terminal that can do it and an
 * empty `NO_COLOR` (https://no-color.org), which chalk itself does not look at.
 */
export function wantsColor(choice: ColorChoice, isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (choice !== 'auto') return choice === 'always';
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** The colours for a stream. chalk is loaded only where there will be any: it takes 10 to 20 ms. */
export async function choosePaint(choice: ColorChoice, isTerminal: boolean, env: NodeJS.ProcessEnv): Promise<Paint> {
  if (!wantsColor(choice, isTerminal, env)) return plainPaint;
  const { Chalk } = await import('chalk');
  // The sixteen basic colours: they follow the terminal's own theme, and every terminal has them.
  const chalk = new Chalk({ level: 1 });
  return {
    success: (text) => chalk.green(text),
    failure: (text) => chalk.bold.red(text),
    caution: (text) => chalk.bold.yellow(text),
    advice: (text) => chalk.cyan(text),
  };
}

/** The colours for each of the streams: one of them may be a terminal, and the other a file. */
export type PaintOf = (stream: OutputStream) => Paint;

export async function choosePaints(
  choice: ColorChoice,
  { stdout, stderr }: { stdout: OutputStream; stderr: OutputStream },
  env: NodeJS.ProcessEnv,
): Promise<PaintOf> {
  const ofResults = await choosePaint(choice, stdout.isTTY === true, env);
  const ofProblems = await choosePaint(choice, stderr.isTTY === true, env);
  return (stream) => (stream === stdout ? ofResults : ofProblems);
}
