import { XbstreamError } from '../errors.js';

/** What is wrong with an input beside what its chunks tell: what comes before it counts, where a run keeps going. */
export class InputError extends XbstreamError {}
