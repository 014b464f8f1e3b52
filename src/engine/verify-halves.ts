import * as os from 'node:os';
import type { VerifyOptions } from './verify-options.js';
import { inputSize } from '../input/input-size.js';
import type { LaneResult } from './protocol.js';
import { runLane } from './run-lane.js';
import { beginsWithChunk } from './pipeline-count.js';
import type { TaskListener } from './task.js';
import type { TaskProgress } from './task-protocol.js';

/** Of a smaller archive the checksums are done before a second thread has started. */
const HALVED_BYTES_MIN = 64 * 1024 * 1024;

/**
 * Verifies an archive in two lanes side by side: both walk all headers, and each holds the checksums of one half. That is
 * only good to find out whether all is well: what is wrong is told by one lane that goes through everything in order.
 *
 * @returns undefined when something is wrong, or two lanes would not help: it is all still to be done
 */
export async function verifyHalves(
  options: VerifyOptions,
  listener: TaskListener,
  signal: AbortSignal,
): Promise<LaneResult | undefined> {
  const archiveBytes = inputSize(options.input);
  const isHalvable = !options.deep && options.digests.length === 0 && options.manifest === undefined;
  const threads = Math.min(options.parallel ?? 2, os.availableParallelism());
  if (!isHalvable || threads < 2 || archiveBytes === undefined || archiveBytes < HALVED_BYTES_MIN) return undefined;
  // What is inside of a wrapper has no halves.
  if (!(await beginsWithChunk(options.input))) return undefined;
  const middle = Math.floor(archiveBytes / 2);
  const done = [0, 0];
  const giveUp = new AbortController();
  const either = AbortSignal.any([signal, giveUp.signal]);
  const results = await Promise.all(
    [
      { fromBytes: 0, toBytes: middle },
      { fromBytes: middle, toBytes: Infinity },
    ].map(async (part, index) => {
      const progress = (report: TaskProgress): void => {
        done[index] = Math.max(0, Math.min(report.bytes, part.toBytes) - part.fromBytes);
        listener.progress({ ...report, bytes: done[0]! + done[1]! });
      };
      let isSound = false;
      try {
        const result = await runLane({ verb: 'verify', options, part }, { ...listener, progress }, either);
        isSound = result !== undefined && !result.stopped && result.errorCount === 0;
        return result;
      } finally {
        if (!isSound) giveUp.abort();
      }
    }),
  );
  const [first] = results;
  if (signal.aborted) return first;
  return giveUp.signal.aborted ? undefined : first;
}
