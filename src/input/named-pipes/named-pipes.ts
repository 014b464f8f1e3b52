/**
 * Several pipes, through each of which a part of an archive's chunks comes: one archive is made of them, chunk by chunk as
 * they come. All chunks of a file come through the same pipe.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { XbstreamError } from '../../errors.js';
import { copyBytes } from '../../threads/copy-bytes.js';
import { ChunkFeed } from './chunk-feed.js';
import { NamedPipe } from './named-pipe.js';
import { PIECE_BYTES, type ByteSink, type Source } from '../source.js';

/** How often it is looked for writers, in milliseconds. */
const LOOK_MS = 20;

/** The pipes through which xtrabackup writes with `--fifo-streams`: `thread_0`, `thread_1` and so on. */
export interface NamedPipesChoice {
  kind: 'named-pipes';
  directory: string;
  count: number;
  /** How long to wait until somebody writes to each of them. */
  timeoutSeconds: number;
  /** It is no error if nothing comes through one of them. */
  allowEmpty: boolean;
}

export class NamedPipesSource implements Source {
  readonly seekable = false;
  readonly #choice: NamedPipesChoice;
  readonly #pipes: NamedPipe[];
  /** Those that have read on since they had their turn. */
  readonly #ready: ChunkFeed[] = [];
  #failure: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #stopped = false;
  #finish: (() => void) | undefined;
  #memory: Buffer | undefined;
  #usedBytes = 0;

  constructor(choice: NamedPipesChoice) {
    this.#choice = choice;
    this.#pipes = Array.from({ length: choice.count }, (_, index) => {
      return new NamedPipe(join(choice.directory, `thread_${index}`));
    });
  }

  run(sink: ByteSink): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#read(sink).then(resolve, reject);
    });
  }

  async #read(sink: ByteSink): Promise<void> {
    await this.#writersHaveCome();
    // Those of one that was stopped meanwhile are closed.
    const feeds = this.#stopped ? [] : this.#pipes.map((pipe) => new ChunkFeed(pipe));
    for (const feed of feeds) this.#readOn(feed);
    for (let open = feeds.length; open > 0 && !this.#stopped;) {
      const feed = await this.#nextReady();
      if (await this.#pass(feed, sink)) this.#readOn(feed);
      else open -= 1;
    }
  }

  async #writersHaveCome(): Promise<void> {
    const { timeoutSeconds, count } = this.#choice;
    const deadline = performance.now() + 1000 * timeoutSeconds;
    let missing = this.#pipes;
    while (!this.#stopped) {
      // All are opened before any is waited for: the writer may open one after the other, waiting for us.
      missing = missing.filter((pipe) => !pipe.hasWriter());
      const [first] = missing;
      if (first === undefined) return;
      if (performance.now() >= deadline) {
        const what = first.isOpen ? `nobody writes to ${first.path}` : `there is no ${first.path}`;
        throw new XbstreamError('XB_IO', what, {
          details: [`waited ${timeoutSeconds} s; ${missing.length} of ${count} pipes have no writer`],
          hints: [
            'who writes must be given the same number and directory: xtrabackup --fifo-streams=N --fifo-dir=DIR',
            '--fifo-timeout=SECONDS waits longer',
          ],
        });
      }
      await sleep(LOOK_MS);
    }
  }

  #readOn(feed: ChunkFeed): void {
    const told = (): void => {
      this.#wake?.();
      this.#wake = undefined;
    };
    feed
      .more()
      .then(
        () => void this.#ready.push(feed),
        (error: unknown) => {
          this.#failure ??= { error };
        },
      )
      .then(told, told);
  }

  async #nextReady(): Promise<ChunkFeed> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const feed = this.#ready.shift();
      if (feed !== undefined) return feed;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Passes on whole chunks: within one no other pipe has its turn. @returns false at the pipe's end */
  async #pass(feed: ChunkFeed, sink: ByteSink): Promise<boolean> {
    for (;;) {
      const bytes = feed.take();
      if (this.#stopped) return false;
      if (bytes !== undefined) {
        await this.#give(bytes, feed, sink);
      } else if (feed.isOver) {
        this.#assertContent(feed);
        return false;
      } else if (!feed.isInChunk) return true;
      else await feed.more();
    }
  }

  /** A part of the backup that was never written looks like one that has no files. */
  #assertContent({ isEmpty, pipe }: ChunkFeed): void {
    if (!isEmpty || this.#choice.allowEmpty) return;
    throw new XbstreamError('XB_EMPTY_ARCHIVE', `nothing has come through ${pipe.path}`, {
      hints: ['if the writer ended well, it had nothing for this pipe: --allow-empty takes that for whole'],
    });
  }

  async #give(bytes: Buffer, { pipe }: ChunkFeed, sink: ByteSink): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        if (this.#memory === undefined || this.#usedBytes === PIECE_BYTES) {
          this.#memory = sink.room();
          this.#usedBytes = 0;
        }
        const room = this.#memory.subarray(this.#usedBytes, PIECE_BYTES);
        const count = copyBytes(bytes.subarray(at, at + room.length), room);
        at += count;
        this.#usedBytes += count;
        const wait = sink.push(room.subarray(0, count));
        if (wait !== undefined) await wait;
      }
    } catch (error) {
      if (!(error instanceof XbstreamError) || error.archiveOffset === undefined) throw error;
      throw error.with({ details: [`it came through ${pipe.path}; archive bytes are those of all pipes together`] });
    }
  }

  stop(): void {
    this.#stopped = true;
    this.close();
    this.#finish?.();
  }

  close(): void {
    for (const pipe of this.#pipes) pipe.close();
  }
}
