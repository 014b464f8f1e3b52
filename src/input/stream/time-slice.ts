/** Keeps a loop that perhaps never waits from holding up the event loop. */
import { setImmediate } from 'node:timers/promises';

/** For so long, in milliseconds, pieces that come without any wait may keep the event loop from everything else. */
const SLICE_MS = 5;

export class TimeSlice {
  #began = performance.now();

  /** Called between two pieces: lets everything else have its turn when it is due. */
  async yieldIfOver(): Promise<void> {
    if (performance.now() - this.#began <= SLICE_MS) return;
    await setImmediate();
    this.#began = performance.now();
  }
}
