/** The thread of a verb that looks into an archive: the caller's stays free, however long a disk takes to answer. */
import { EventEmitter, once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { errorToRecord, XbstreamError, type ErrorRecord } from '../errors.js';
import { RingWriter } from '../input/ring.js';
import type { ContentSink } from '../output/stream-output.js';
import type { BackupDescription, CommonReporter, Listing } from '../ui/reporter.js';
import type { VerbCommand, VerbMessage, VerbTask } from './verb-protocol.js';

/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;
/** Items of a list that the caller's thread takes at a time. */
const PART_LENGTH = 500;

const port = parentPort!;
const task = workerData as VerbTask;
const stopping = new AbortController();
const nextAsked = new EventEmitter();

function post(message: VerbMessage): void {
  port.postMessage(message);
}

let toldProgress = -Infinity;
let listing: Listing | undefined;
let description: BackupDescription | undefined;
const problems: XbstreamError[] = [];

const reporter: CommonReporter = {
  warning: (message) => post({ type: 'warning', message }),
  error: (error) => problems.push(error),
  errors: (errors) => problems.push(...errors),
  progress: (report) => {
    const now = performance.now();
    if (now - toldProgress < PROGRESS_INTERVAL_MS) return;
    toldProgress = now;
    post({ type: 'progress', report });
  },
  close: () => undefined,
};

async function work(): Promise<void> {
  const { signal } = stopping;
  switch (task.verb) {
    case 'list': {
      const { list } = await import('../commands/list.js');
      const listed = (found: Listing): void => {
        listing = found;
      };
      await list(task.options, { ...reporter, listed }, signal);
      break;
    }
    case 'info': {
      const { info } = await import('../commands/info.js');
      const described = (found: BackupDescription): void => {
        description = found;
      };
      await info(task.options, { ...reporter, described }, signal);
      break;
    }
    case 'cat': {
      const { cat } = await import('../commands/cat.js');
      const ring = new RingWriter(task.output);
      signal.addEventListener('abort', () => ring.wake(), { once: true });
      await cat(task.options, ringSink(ring, signal), reporter, signal);
      ring.end(false);
      break;
    }
  }
}

function ringSink(ring: RingWriter, signal: AbortSignal): ContentSink {
  return async (bytes) => {
    let left = bytes.subarray(ring.write(bytes));
    while (left.length > 0) {
      await ring.room();
      signal.throwIfAborted();
      left = left.subarray(ring.write(left));
    }
  };
}

async function postParts<Item>(items: readonly Item[], message: (part: Item[]) => VerbMessage): Promise<void> {
  for (let at = 0; at < items.length; at += PART_LENGTH) {
    post(message(items.slice(at, at + PART_LENGTH)));
    await once(nextAsked, 'next');
  }
}

async function tell(): Promise<void> {
  await postParts(problems.map(errorToRecord), (part) => ({ type: 'problems', part }));
  if (listing !== undefined) {
    const { entries, corrections, ...rest } = listing;
    await postParts(entries, (part) => ({ type: 'entries', part }));
    await postParts(corrections, (part) => ({ type: 'corrections', part }));
    post({ type: 'listed', listing: rest });
  }
  if (description !== undefined) post({ type: 'described', description });
}

port.on('message', (command: VerbCommand) => {
  if (command === 'stop') stopping.abort();
  else nextAsked.emit('next');
});
let error: ErrorRecord | undefined;
try {
  await work();
} catch (thrown) {
  if (thrown instanceof XbstreamError) {
    error = errorToRecord(thrown);
    // It comes with the end, and need not come twice.
    if (problems.includes(thrown)) problems.splice(problems.indexOf(thrown), 1);
  }
  // What it is stopped for is known where it was told to stop.
  else if (thrown !== stopping.signal.reason) throw thrown;
}
await tell();
post({ type: 'end', error });
port.close();
