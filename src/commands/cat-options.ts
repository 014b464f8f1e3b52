import type { SelectionOptions } from '../archive/selection/selection.js';
import type { DecryptionKey } from '../codec/codec.js';
import type { LayerChoice } from '../codec/stored-layers.js';
import type { InputChoice } from '../input/open-source.js';

/** Everything that writing the content of files can be told. */
export interface CatOptions {
  input: InputChoice;
  /** Their content comes in this order; each may match several files, those in the archive's order. */
  patterns: readonly string[];
  /** Further ways to say which files; what they choose comes behind what `patterns` do. */
  selection: SelectionOptions;
  /**
   * What is undone of every file, by its stored name's suffixes. Of a file that was asked for by a name that leaves suffixes
   * away, what these tell of is undone, too.
   */
  undo: LayerChoice;
  /** Undo nothing. */
  raw: boolean;
  /** Undoes encryption. */
  key?: DecryptionKey | undefined;
  /** Allow stored names that begin with `/`. */
  absoluteNames: boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
}
