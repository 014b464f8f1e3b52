/** A part of a file: where it belongs, how long it is, and where in the order of arrival it came; in bytes. */
export interface SpooledPart {
  fileOffset: number;
  bytes: number;
  dataOffset: number;
}

/** The parts of a file in the order in which they came: three numbers for each, since there may be very many. */
export class SpooledParts {
  /** Bytes of all of them. */
  dataBytes = 0;
  readonly #numbers: number[] = [];

  get count(): number {
    return this.#numbers.length / 3;
  }

  /** Where the last one that came ends in the file, in bytes. */
  get endBytes(): number {
    const numbers = this.#numbers;
    return numbers.length === 0 ? 0 : numbers.at(-3)! + numbers.at(-2)!;
  }

  add(fileOffset: number, bytes: number): void {
    const numbers = this.#numbers;
    if (numbers.length > 0 && fileOffset === this.endBytes) numbers[numbers.length - 2]! += bytes;
    else numbers.push(fileOffset, bytes, this.dataBytes);
    this.dataBytes += bytes;
  }

  clear(): void {
    this.#numbers.length = 0;
    this.dataBytes = 0;
  }

  /** As they follow each other in the file. */
  *inOrder(): Iterable<SpooledPart> {
    const numbers = this.#numbers;
    const starts = Array.from({ length: this.count }, (_, index) => index * 3);
    const isRising = starts.every((at) => at === 0 || numbers[at - 3]! < numbers[at]!);
    if (!isRising) starts.sort((a, b) => numbers[a]! - numbers[b]!);
    for (const at of starts) {
      yield { fileOffset: numbers[at]!, bytes: numbers[at + 1]!, dataOffset: numbers[at + 2]! };
    }
  }
}
