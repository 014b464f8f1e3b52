/** A body in chunks (RFC 9112, section 7.1). */
import { NoHttp } from './failures.js';
import type { Body } from './exchange.js';

/** Most bytes of a line that says how long a chunk is, and of all trailers. */
const LINE_BYTES_MAX = 4096;
const TRAILER_BYTES_MAX = 64 * 1024;

export class ChunkedBody {
  body: Body | undefined;
  isDone = false;
  /** Bytes of the current chunk that are to come, and of the line end behind it. */
  #left = 0;
  #lineEndLeft = 0;
  /** The beginning of a line. */
  #line = '';
  #isInTrailers = false;
  #trailerBytes = 0;

  /**
   * Takes the next bytes. Their content is joined, so that chunks of one byte each do not cost a call each.
   *
   * @param bytes overwritten by the content that is joined
   * @returns what is behind the body
   * @throws NoHttp, and what the body throws
   */
  push(bytes: Buffer): Buffer {
    let at = 0;
    let contentStart = 0;
    let contentEnd = 0;
    try {
      while (at < bytes.length && !this.isDone) {
        if (this.#left > 0) {
          const count = Math.min(this.#left, bytes.length - at);
          this.#left -= count;
          if (contentEnd === 0) contentStart = contentEnd = at;
          else bytes.copyWithin(contentEnd, at, at + count);
          contentEnd += count;
          at += count;
        } else if (this.#lineEndLeft > 0) {
          if (bytes[at] !== (this.#lineEndLeft === 2 ? 13 : 10))
            throw new NoHttp('a chunk that is longer than it says');
          this.#lineEndLeft -= 1;
          at += 1;
        } else at = this.#takeLine(bytes, at);
      }
    } finally {
      if (contentEnd > contentStart) this.body!.take(bytes.subarray(contentStart, contentEnd));
    }
    return bytes.subarray(at);
  }

  #takeLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(10, at);
    const to = end === -1 ? bytes.length : end + 1;
    this.#line += bytes.toString('latin1', at, to);
    if (this.#line.length > LINE_BYTES_MAX) throw new NoHttp('a line without an end');
    if (end === -1) return to;
    if (!this.#line.endsWith('\r\n')) throw new NoHttp('a line that ends in another way');
    const line = this.#line.slice(0, -2);
    this.#line = '';
    if (this.#isInTrailers) this.#trailer(line);
    else this.#size(line);
    return to;
  }

  #size(line: string): void {
    const [, digits] = /^([\da-f]{1,13})[\t ]*(?:;[^]*)?$/i.exec(line) ?? [];
    if (digits === undefined) throw new NoHttp('a chunk without a length');
    this.#left = Number.parseInt(digits, 16);
    if (this.#left === 0) this.#isInTrailers = true;
    else this.#lineEndLeft = 2;
  }

  #trailer(line: string): void {
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > TRAILER_BYTES_MAX) throw new NoHttp('trailers without an end');
    this.isDone = line === '';
  }
}
