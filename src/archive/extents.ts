/** Where the content of an entry lies in an archive: a pair of numbers for each chunk, in little room. */
export class Extents {
  #numbers = new Float64Array(8);
  #used = 0;

  /** How many chunks there are. */
  get length(): number {
    return this.#used / 2;
  }

  /** @param archiveOffset of the chunk's header */
  add(archiveOffset: number, fileOffset: number): void {
    if (this.#used === this.#numbers.length) {
      const larger = new Float64Array(this.#used * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#used] = archiveOffset;
    this.#numbers[this.#used + 1] = fileOffset;
    this.#used += 2;
  }

  /** The archive offsets of the chunks' headers, in the order of the file. */
  inFileOrder(): Float64Array {
    const order = Array.from({ length: this.length }, (_, index) => index);
    const isSorted = order.every((index) => index === 0 || this.#fileOffset(index - 1) <= this.#fileOffset(index));
    if (!isSorted) order.sort((a, b) => this.#fileOffset(a) - this.#fileOffset(b));
    return Float64Array.from(order, (index) => this.#numbers[index * 2]!);
  }

  #fileOffset(index: number): number {
    return this.#numbers[index * 2 + 1]!;
  }
}
