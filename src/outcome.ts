import { XbstreamError } from './errors.js';

/** What a run of a verb, or a part of one in a thread of its own, came to. */
export interface Outcome<Summary> {
  /** What it has done or found; undefined where it did not come to that. */
  summary: Summary | undefined;
  /** All that went wrong, in order: the first is what it failed of. */
  problems: readonly XbstreamError[];
  /** It was told to stop before its end. */
  stopped: boolean;
}

/** Whether a run has come to its end, and nothing was wrong. */
export function isGood({ problems, stopped }: Outcome<unknown>): boolean {
  return problems.length === 0 && !stopped;
}

/**
 * What work comes to, however it ends: what it throws is among the problems.
 *
 * @param signal what may have told it to stop
 * @throws what is neither an XbstreamError nor the signal's reason: a bug
 */
export async function caught<Summary>(work: Promise<Outcome<Summary>>, signal: AbortSignal): Promise<Outcome<Summary>> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted && error === signal.reason) return { summary: undefined, problems: [], stopped: true };
    if (error instanceof XbstreamError) return { summary: undefined, problems: [error], stopped: false };
    throw error;
  }
}
