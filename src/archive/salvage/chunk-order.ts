/** Where the chunks of one file follow each other, as far as they tell. */

/** A chunk that does not go on where the file's one before it ended. */
export interface Jump {
  /** Where in the archive the last chunk before it begins that went on; -1: there was none. */
  from: number;
  to: number;
  /** Where in the file it should have gone on. */
  expected: number;
  /** What it covers of the file. */
  spanBytes: number;
  /** Whole chunks may have been lost before it. */
  isGap: boolean;
}

/**
 * In which order the chunks of a file come: nearly always each goes on where the one before it ended. One that does not stands
 * behind lost ones, was another file's, or tells a wrong place: that shows by the chunk behind it.
 */
export class ChunkOrder {
  /** Where in the archive the last chunk begins that went on where it should have; -1: none. */
  lastContentAt = -1;
  /** Where the next one goes on; undefined where the last told a wrong length. */
  #expected: number | undefined = 0;
  #jump: Jump | undefined;

  /** The last chunk, if that did not go on. */
  get jump(): Jump | undefined {
    return this.#jump;
  }

  /**
   * The next chunk has come, or what it was is known.
   *
   * @param spanBytes bytes of the file that it covers
   * @param reachedBytes where the last byte of the file ended that had come before: chunks may come in any order
   * @returns the jump of the chunk before it, if this one shows that it was one
   */
  add(archiveOffset: number, fileOffset: number, spanBytes: number, reachedBytes: number): Jump | undefined {
    const before = this.#jump;
    const expected = this.#expected;
    this.#jump = undefined;
    this.#expected = fileOffset + spanBytes;
    // The one before was another's, or told a wrong place.
    const isBack = before !== undefined && isBehind(before, fileOffset);
    if (isBack || expected === undefined || fileOffset === expected || fileOffset === reachedBytes) {
      this.lastContentAt = archiveOffset;
    } else {
      // Under a name that has nothing yet it is another's, as a rule.
      const isGap = fileOffset > expected && this.lastContentAt !== -1;
      this.#jump = { from: this.lastContentAt, to: archiveOffset, expected, spanBytes, isGap };
    }
    return isBack ? undefined : before;
  }

  /** Nothing more comes: the last jump was one. */
  end(): Jump | undefined {
    const before = this.#jump;
    this.#jump = undefined;
    return before;
  }

  /** The last chunk told a wrong length: then its place may be as wrong. */
  lengthIsWrong(): void {
    this.#expected = undefined;
    this.#jump = undefined;
  }
}

/** Whether a chunk goes on as if the jump before it were not there, or had been none. */
function isBehind({ expected, spanBytes }: Jump, fileOffset: number): boolean {
  return fileOffset === expected || fileOffset === expected + spanBytes;
}
