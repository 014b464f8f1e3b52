import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../../errors.js';
import { EventParser, headOf, INSIDE_PROBLEMS_MAX, LINE_BYTES_MAX } from './event-lines.js';
import type { InsideProblem, ShardEnd, ShardEvent, ShardHead } from './events.js';
import { BadRecord, Fields } from './fields.js';

const PIECE_BYTES = 64 * 1024;
const LINE_END = '\n'.charCodeAt(0);
const NOTHING = Buffer.alloc(0);

/**
 * The result of a shard in a file, read line by line: neither its size nor what it says decides how much memory that takes. There
 * may be more of them than a process may have files open, or memory for a piece of each.
 */
export class ResultFile {
  readonly path: string;
  readonly head: ShardHead;
  /** What is wrong inside of files that begin in the part. */
  readonly inside: readonly InsideProblem[];
  /** What it was when it was first looked at. */
  readonly #identity: string;
  readonly #parser: EventParser;
  /** What is read of it in the next call. */
  #position = 0;
  #window: Buffer = NOTHING;
  #lines = 0;
  /** The next event, where it was looked at and not taken. */
  #next: ShardEvent | undefined;
  /** See {@link end}. */
  #end: ShardEnd | undefined;

  /** @throws XbstreamError `XB_IO`; `XB_USAGE` where it is no result */
  constructor(path: string) {
    this.path = path;
    try {
      const stat = fs.statSync(path);
      // Not opened where that may wait for a writer.
      if (!stat.isFile()) throw this.#bad('it is no regular file');
      this.#identity = identityOf(stat);
    } catch (error) {
      throw systemError(`cannot read the result ${path}`, error);
    }
    this.head = this.#checked(() => headOf(Fields.of(this.#line() ?? '')));
    this.#parser = new EventParser(this.head.from ?? 0);
    this.inside = this.#checked(() => this.#readInside());
    this.#position -= this.#window.length;
    this.#window = NOTHING;
  }

  /** The next event; undefined behind the last one. @throws XbstreamError as the constructor */
  take(): ShardEvent | undefined {
    const event = this.peek();
    this.#next = undefined;
    return event;
  }

  /** The same, and it stays the next. */
  peek(): ShardEvent | undefined {
    if (this.#end !== undefined) return undefined;
    this.#next ??= this.#checked(() => {
      const event = this.#read();
      if (event?.type === 'inside') throw new BadRecord('"inside" comes first');
      return event;
    });
    return this.#next;
  }

  /** Goes on to the chunk that begins at a place. @returns whether there is one */
  skipTo(archiveOffset: number): boolean {
    for (let event = this.peek(); event !== undefined; event = this.peek()) {
      if (event.type === 'chunk' && event.header.archiveOffset === archiveOffset) return true;
      this.take();
    }
    return false;
  }

  /** How the part ends; known behind the last event. */
  get end(): ShardEnd | undefined {
    return this.#end;
  }

  #readInside(): InsideProblem[] {
    const found: InsideProblem[] = [];
    for (let event = this.#read(); ; event = this.#read()) {
      if (event?.type !== 'inside') {
        this.#next = event;
        return found;
      }
      if (this.head.deep === 'no' || found.length === INSIDE_PROBLEMS_MAX)
        throw new BadRecord('"inside" where it cannot be');
      found.push(event);
    }
  }

  #read(): ShardEvent | InsideProblem | undefined {
    const line = this.#line();
    if (line === undefined) throw new BadRecord('it is cut short: its last line is missing');
    const event = this.#parser.parse(Fields.of(line));
    if (event.type !== 'over') return event;
    this.#end = event.end;
    this.#window = NOTHING;
    return undefined;
  }

  /** The next line, without its end; undefined where there is none. */
  #line(): string | undefined {
    for (let searched = 0; ;) {
      const at = this.#window.indexOf(LINE_END, searched);
      if (at !== -1) {
        const line = this.#window.toString('utf8', 0, at);
        this.#window = this.#window.subarray(at + 1);
        this.#lines += 1;
        return line;
      }
      searched = this.#window.length;
      if (searched > LINE_BYTES_MAX) throw new BadRecord('a line is too long');
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const bytes = this.#readPiece(piece);
      if (bytes === 0) return undefined;
      this.#window = Buffer.concat([this.#window, piece.subarray(0, bytes)]);
    }
  }

  #readPiece(piece: Buffer): number {
    try {
      const fd = fs.openSync(this.path, 'r');
      try {
        if (identityOf(fs.fstatSync(fd)) !== this.#identity) throw this.#bad('it has changed while it was read');
        const bytes = fs.readSync(fd, piece, 0, piece.length, this.#position);
        this.#position += bytes;
        return bytes;
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      throw systemError(`cannot read the result ${this.path}`, error);
    }
  }

  #checked<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw error instanceof BadRecord ? this.#bad(error.message) : error;
    }
  }

  #bad(why: string): XbstreamError {
    const place = this.#lines > 1 ? [`line ${this.#lines}`] : [];
    return new XbstreamError('XB_USAGE', `${this.path} is no result of a shard that is whole: ${why}`, {
      details: place,
      hints: ['make it anew: tsxbstream verify --shard I/N ARCHIVE > RESULT'],
    });
  }
}

function identityOf({ dev, ino, size, mtimeMs }: fs.Stats): string {
  return [dev, ino, size, mtimeMs].join();
}
