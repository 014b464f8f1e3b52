import type { SelectionOptions } from '../archive/selection/selection.js';
import type { InputChoice } from '../input/open-source.js';

/** Everything a listing can be told. */
export interface ListOptions {
  input: InputChoice;
  selection: SelectionOptions;
  /** `archive`: as the archive has them. */
  sort: 'archive' | 'size' | 'name';
  /** Allow stored names that begin with `/`. */
  absoluteNames: boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
}
