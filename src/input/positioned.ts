/** Bytes that can be read by position. */
import * as fs from 'node:fs';
import { systemError } from '../errors.js';
import { closeRead } from './close.js';

/** A part of what can be read, from a position to another, in bytes. */
export interface Span {
  start: number;
  /** Behind its last byte. */
  end: number;
}

/** Bytes that can be read at any place. */
export interface PositionedBytes {
  /**
   * @param at where in `memory` to put them
   * @param position null: where it stands, for what has no positions
   * @returns how many there were: perhaps fewer than wanted, and none only at the end
   * @throws XbstreamError `XB_IO`
   */
  read(memory: Buffer, at: number, bytes: number, position: number | null): number;
  /** Is told what will be read, in this order, where it helps to know. */
  expect?(spans: readonly Span[]): void;
  /** Where they end now. */
  readonly endBytes: number;
  /** What a person calls a position, where that is another than it seems. */
  placeOf?(position: number): string | undefined;
  /** Closes what it has opened itself. */
  close(): void;
}

/** A file, by its descriptor. */
export class OneFile implements PositionedBytes {
  readonly #fd: number;
  readonly #name: string;
  readonly #isOwn: boolean;

  /**
   * @param name for messages
   * @param isOwn it is closed at the end
   */
  constructor(fd: number, name: string, isOwn: boolean) {
    this.#fd = fd;
    this.#name = name;
    this.#isOwn = isOwn;
  }

  read(memory: Buffer, at: number, bytes: number, position: number | null): number {
    try {
      return fs.readSync(this.#fd, memory, at, bytes, position);
    } catch (error) {
      throw systemError(`cannot read ${this.#name}`, error);
    }
  }

  get endBytes(): number {
    try {
      return fs.fstatSync(this.#fd).size;
    } catch (error) {
      throw systemError(`cannot read ${this.#name}`, error);
    }
  }

  close(): void {
    if (this.#isOwn) closeRead(this.#fd);
  }
}
