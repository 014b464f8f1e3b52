/** What is wrong with an input beside what its chunks tell. */
import { errorToRecord, XbstreamError, type ErrorFacts, type ErrorRecord } from '../errors.js';

/** Something around the chunks is wrong: what comes before it counts, where a run keeps going. */
export class InputError extends XbstreamError {
  static from({ code, message, ...facts }: ErrorRecord): InputError {
    return new InputError(code, message, facts);
  }

  override with(more: ErrorFacts): InputError {
    return InputError.from(errorToRecord(super.with(more)));
  }
}
