import { errorText } from '../ui/error-text.js';
import type { Paint } from '../ui/paint.js';
import { version } from './version.js';

/** What to say about an exception that nobody has foreseen: honest, short, and what a report needs. */
export function bugText(error: unknown, showStack: boolean, paint: Paint): string {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack = error instanceof Error && showStack ? (error.stack ?? '').split('\n').slice(1) : [];
  return errorText(
    {
      message: `this is a bug in tsxbstream: ${what.split('\n')[0] ?? ''}`,
      details: [
        ...stack.map((line) => line.trim()),
        `tsxbstream ${version()}, Node ${process.version}, ${process.platform} ${process.arch}`,
        'files that have their final name are whole; the rest of the archive is not unpacked',
      ],
      hints: showStack
        ? ['please report it with these lines']
        : ['please report it with the output of the same command under TSXBSTREAM_DEBUG=1'],
    },
    paint,
  );
}
