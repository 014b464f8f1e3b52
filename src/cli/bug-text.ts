import { errorText } from '../ui/text/error-text.js';
import type { Paint } from '../ui/paint.js';
import { version } from './package-version.js';

/** What to say about an exception that nobody has foreseen: honest, short, and what a report needs. */
export function bugText(error: unknown, showStack: boolean, paint: Paint): string {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack = error instanceof Error && showStack ? (error.stack ?? '').split('\n').slice(1) : [];
  const [firstLine = ''] = what.split('\n');
  const surroundings = surroundingsAtFault(error);
  return errorText(
    {
      message: surroundings?.message ?? `this is a bug in tsxbstream: ${firstLine}`,
      details: [
        ...(surroundings === undefined ? [] : [firstLine]),
        ...stack.map((line) => line.trim()),
        `tsxbstream ${version()}, Node ${process.version}, ${process.platform} ${process.arch}`,
        'files that have their final name are whole; the rest of the archive is not unpacked',
      ],
      hints: surroundings?.hints ?? [
        showStack
          ? 'please report it with these lines'
          : 'please report it with the output of the same command under TSXBSTREAM_DEBUG=1',
      ],
    },
    paint,
  );
}

const MISSING_PART = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'];
const NO_MEMORY = ['ERR_MEMORY_ALLOCATION_FAILED', 'ERR_WORKER_OUT_OF_MEMORY', 'ERR_WORKER_INIT_FAILED', 'ENOMEM'];
const MORE_MEMORY = 'give it more memory: see "ulimit -v", and the limits of the container';

/** What is no fault of the program: it is not all there, or has no room. */
function surroundingsAtFault(error: unknown): { message: string; hints: string[] } | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (MISSING_PART.includes(code)) {
    return { message: 'a part of the program is missing', hints: ['install it again: npm ci'] };
  }
  if (code === 'ERR_WORKER_INIT_FAILED' && error.message.includes('EAGAIN')) {
    const hints = ['allow it more: see "ulimit -u", and the limits of the container ("pids")'];
    return { message: 'the system allows no more threads', hints };
  }
  if (code === 'THREAD_ENDED') {
    const hints = [MORE_MEMORY, 'if it has enough, please report this with these lines'];
    return { message: 'a thread of the program was ended before its work, as for want of memory', hints };
  }
  // V8 has no code for it.
  if (NO_MEMORY.includes(code) || (error.name === 'RangeError' && /allocat|out of memory/i.test(error.message))) {
    return { message: 'there is not enough memory', hints: [MORE_MEMORY] };
  }
  return undefined;
}
