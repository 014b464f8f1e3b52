/** Where the content of an entry lies in an archive: a pair of numbers for each chunk, in little room. */
export class Extents {
  #numbers = new Float64Array(2);
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

  /** The chunks come in the order of the file. */
  get areInFileOrder(): boolean {
    for (let index = 1; index < this.length; index += 1) {
      if (this.#fileOffset(index - 1) > this.#fileOffset(index)) return false;
    }
    return true;
  }

  /** The chunks from one number to another, which is not among them. */
  slice(from: number, to: number): Extents {
    const part = new Extents();
    part.#numbers = this.#numbers.slice(from * 2, to * 2);
    part.#used = part.#numbers.length;
    return part;
  }

  /** The archive offsets of the chunks' headers, in the order of the file. */
  inFileOrder(): Float64Array {
    const order = new Float64Array(this.length);
    for (let index = 0; index < order.length; index += 1) order[index] = this.#numbers[index * 2]!;
    if (this.areInFileOrder) return order;
    const indices = Array.from(order, (_, index) => index);
    indices.sort((a, b) => this.#fileOffset(a) - this.#fileOffset(b));
    return order.map((_, place) => this.#numbers[indices[place]! * 2]!);
  }

  #fileOffset(index: number): number {
    return this.#numbers[index * 2 + 1]!;
  }
}
