import * as os from 'node:os';
import { inputSize } from '../input/input-size.js';
import { isGood, type Outcome } from '../outcome.js';
import type { ProgressReport } from '../ui/reporter.js';
import { inThread } from './threads/start.js';
import type { UnpackSummary } from './unpack.js';
import type { Context } from './verb.js';
import type { VerifyOptions } from './verify.js';

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
  context: Context,
): Promise<Outcome<UnpackSummary> | undefined> {
  const { input, deep, digests, manifest, parallel } = options;
  const archiveBytes = inputSize(input);
  const isHalvable = !deep && digests.length === 0 && manifest === undefined;
  const threads = Math.min(parallel ?? 2, os.availableParallelism());
  if (!isHalvable || threads < 2 || archiveBytes === undefined || archiveBytes < HALVED_BYTES_MIN) return undefined;
  const middle = Math.floor(archiveBytes / 2);
  const done = [0, 0];
  const giveUp = new AbortController();
  const signal = AbortSignal.any([context.signal, giveUp.signal]);
  const outcomes = await Promise.all(
    [
      { fromBytes: 0, toBytes: middle },
      { fromBytes: middle, toBytes: Infinity },
    ].map(async (part, index) => {
      const progress = (report: ProgressReport): void => {
        done[index] = Math.max(0, Math.min(report.bytes, part.toBytes) - part.fromBytes);
        context.progress({ ...report, bytes: done[0]! + done[1]! });
      };
      const half: Context = {
        ...{ signal, progress },
        isStopped: () => signal.aborted,
        warning: (message) => context.warning(message),
      };
      let isSound = false;
      try {
        const outcome = await inThread('unpack', { verb: 'verify', options, part }, { input, decodes: false }, half);
        isSound = outcome.summary !== undefined && isGood(outcome);
        return outcome;
      } finally {
        if (!isSound) giveUp.abort();
      }
    }),
  );
  if (context.signal.aborted) return outcomes[0];
  return giveUp.signal.aborted ? undefined : outcomes[0];
}
