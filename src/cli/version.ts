/** What `--version` prints. */
import { basename } from 'node:path';
import { version } from './package-version.js';

/** Programs whose command line ours takes over when it is started under their name. */
const XBSTREAM_NAMES: readonly string[] = ['xbstream', 'mbstream'];

/** Under which of these names it was started, if it was. */
export function xbstreamName(argv: readonly string[]): string | undefined {
  // Node leaves argv[1] as it was typed: a symbolic link keeps its name.
  const name = basename(argv[1] ?? '');
  return XBSTREAM_NAMES.includes(name) ? name : undefined;
}

/** The program and its version in one line, in the words of the program under whose name it was started. */
export function versionLine(argv: readonly string[]): string {
  const name = xbstreamName(argv);
  if (name === undefined) return `tsxbstream ${version()}\n`;
  return `${name}  Ver ${version()} for ${process.platform} on ${process.arch} (tsxbstream)\n`;
}
