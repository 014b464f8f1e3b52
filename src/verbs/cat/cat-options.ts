/** What `cat` can be told. */
import type { InputChoice } from '../../input/open-source.js';
import type { RingHandle } from '../../input/stream/ring.js';
import { pick, reworded, type Told } from '../options/option.js';
import { COMMON, KEY_FILE_OR_VARIABLE, keyOption, OPTIONS, READING, SELECTION } from '../options/table.js';

export const CAT_OPTIONS = {
  ...pick(OPTIONS, 'index', 'raw', 'allowEmpty'),
  ...pick(OPTIONS, ...SELECTION),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  /**
   * Undo compression also of files that were asked for by their stored names, such as `t.ibd.zst`. Default: false. (Encryption
   * is undone where a `key` is given.)
   */
  decompress: reworded(OPTIONS.decompress, {
    decompress: 'decompress .qp, .lz4 and .zst files also where they were asked for by these names',
  }),
  key: reworded(
    keyOption((values) => !values.has('raw') && 'perhaps'),
    KEY_FILE_OR_VARIABLE,
  ),
};

/** Everything that writing the content of files can be told. */
export interface CatOptions extends Told<typeof CAT_OPTIONS> {
  input: InputChoice;
  /** Their content comes in this order; each may match several files, those in the archive's order. What else chooses files comes behind them. */
  patterns: readonly string[];
  /** Decrypt also files that were asked for by their stored names. */
  decrypt: boolean;
}

/** What the thread is told that reads the files for another. */
export interface CatJob {
  options: CatOptions;
  /** Takes the content. */
  output: RingHandle;
}
