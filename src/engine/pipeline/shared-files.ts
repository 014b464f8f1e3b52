/** The most segments that a file is shared in. */
export const SEGMENTS_MAX = 256;

const NOBODY = 0;
/** Words of each pipeline: what it works at, then what it offers. */
const WORDS = { at: 0, file: 1, descriptor: 2, next: 3, segments: 4, pageBytes: 5, isMariadb: 6, count: 7 } as const;
/** Words for all: how many pipelines are making files, and a number that changes with every offer and end. */
const MAKING = 0;
const CHANGES = 1;
const WORDS_FOR_ALL = 2;
/** Numbers of each pipeline: where segments begin in the stored file, and in the file that is made; how long each became. */
const NUMBERS = 3 * (SEGMENTS_MAX + 1);
/** How often whoever waits looks whether it is to stop, in milliseconds. */
const LOOK_MS = 100;

/** Where segments begin, or the last one ends. */
export interface Cut {
  /** In the stored file, in bytes. */
  stored: number;
  /** In the file that is made. */
  made: number;
}

/** What those who make segments of a file have to know of it. */
export interface Offer {
  /** Its place in the plan. */
  file: number;
  /** What its content is written by; whoever offers it closes it, and not before {@link SharedFiles.close}. */
  descriptor: number;
  /** Where each segment begins, and the last one ends. */
  cuts: readonly Cut[];
  /** Size of the pages that may have holes, in bytes, and whose; 0 for none. */
  pageBytes: number;
  isMariadb: boolean;
}

/** A file that another pipeline offers, as long as this one works at it. */
export interface Joined extends Omit<Offer, 'cuts'> {
  /** A segment that nobody else has taken. */
  take: () => Segment | undefined;
  /** It is made. */
  made: (segment: Segment, bytes: number) => void;
  /** Must be called: whoever offers the file waits for it. */
  leave: () => void;
}

export interface Segment {
  number: number;
  from: Cut;
  to: Cut;
}

/**
 * Large files that several pipelines make together, in memory that all of them see. When only such files are left, whoever
 * has nothing else to do takes segments of a file that another pipeline has begun; that one gives it its name when all are
 * made.
 */
export class SharedFiles {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #pipelines: number;
  readonly #own: number;

  /** @param own which of the pipelines this is; who is none of them, only tells that one is gone */
  constructor(pipelines: number, own = -1, buffer?: SharedArrayBuffer) {
    const words = Math.ceil((WORDS_FOR_ALL + pipelines * WORDS.count) / 2) * 2;
    this.buffer = buffer ?? new SharedArrayBuffer(4 * words + 8 * NUMBERS * pipelines);
    this.#words = new Int32Array(this.buffer, 0, words);
    this.#numbers = new Float64Array(this.buffer, 4 * words);
    this.#pipelines = pipelines;
    this.#own = own;
  }

  /** This pipeline may begin a file that it will offer. */
  begin(): void {
    Atomics.add(this.#words, MAKING, 1);
  }

  /** It will offer none. */
  end(): void {
    Atomics.sub(this.#words, MAKING, 1);
    this.#change();
  }

  /** Lets others take segments, from the second one on: the first is made. */
  offer({ file, descriptor, cuts, pageBytes, isMariadb }: Offer): Omit<Joined, 'leave'> {
    const own = this.#own;
    this.#set(own, 'descriptor', descriptor);
    this.#set(own, 'segments', cuts.length - 1);
    this.#set(own, 'pageBytes', pageBytes);
    this.#set(own, 'isMariadb', isMariadb ? 1 : 0);
    this.#set(own, 'next', 1);
    cuts.forEach(({ stored, made }, index) => this.#numbers.set([stored, made], own * NUMBERS + 3 * index));
    this.#set(own, 'file', file + 1);
    this.#change();
    return this.#joined(own);
  }

  /** How long a segment became. */
  madeBytes(segment: number): number {
    return this.#numbers[this.#own * NUMBERS + 3 * segment + 2]!;
  }

  /**
   * Nobody may join any more. Waits until nobody works at it, however long that takes: what is written late would land in
   * another file, which has the descriptor's number by then.
   */
  close(): void {
    this.#set(this.#own, 'file', NOBODY);
    for (let other = 0; other < this.#pipelines; other += 1) {
      const place = this.#place(other, 'at');
      while (Atomics.load(this.#words, place) === this.#own + 1) Atomics.wait(this.#words, place, this.#own + 1);
    }
  }

  /**
   * Waits for a file to work at.
   *
   * @param isStopped asked while nothing happens
   * @returns undefined when there is none, and none to come
   */
  join(isStopped: () => boolean): Joined | undefined {
    while (!isStopped()) {
      const changes = Atomics.load(this.#words, CHANGES);
      for (let other = 0; other < this.#pipelines; other += 1) {
        if (other === this.#own || !this.#hasWork(other)) continue;
        this.#set(this.#own, 'at', other + 1);
        // It may have been taken back since: only now can that not happen unseen.
        if (this.#hasWork(other)) return { ...this.#joined(other), leave: () => this.gone(this.#own) };
        this.gone(this.#own);
      }
      if (Atomics.load(this.#words, MAKING) === 0) return undefined;
      Atomics.wait(this.#words, CHANGES, changes, LOOK_MS);
    }
    return undefined;
  }

  /** A pipeline works at no other's file any more: it says so, or its thread has ended. */
  gone(pipeline: number): void {
    this.#set(pipeline, 'at', NOBODY);
    Atomics.notify(this.#words, this.#place(pipeline, 'at'));
  }

  #hasWork(pipeline: number): boolean {
    return this.#get(pipeline, 'file') !== NOBODY && this.#get(pipeline, 'next') < this.#get(pipeline, 'segments');
  }

  #joined(pipeline: number): Omit<Joined, 'leave'> {
    const base = pipeline * NUMBERS;
    const segments = this.#get(pipeline, 'segments');
    const cut = (number: number): Cut => ({
      stored: this.#numbers[base + 3 * number]!,
      made: this.#numbers[base + 3 * number + 1]!,
    });
    return {
      file: this.#get(pipeline, 'file') - 1,
      descriptor: this.#get(pipeline, 'descriptor'),
      pageBytes: this.#get(pipeline, 'pageBytes'),
      isMariadb: this.#get(pipeline, 'isMariadb') === 1,
      take: () => {
        const number = Atomics.add(this.#words, this.#place(pipeline, 'next'), 1);
        return number < segments ? { number, from: cut(number), to: cut(number + 1) } : undefined;
      },
      made: ({ number }, bytes) => {
        this.#numbers[base + 3 * number + 2] = bytes;
      },
    };
  }

  #change(): void {
    Atomics.add(this.#words, CHANGES, 1);
    Atomics.notify(this.#words, CHANGES);
  }

  #place(pipeline: number, word: keyof typeof WORDS): number {
    return WORDS_FOR_ALL + pipeline * WORDS.count + WORDS[word];
  }

  #get(pipeline: number, word: keyof typeof WORDS): number {
    return Atomics.load(this.#words, this.#place(pipeline, word));
  }

  #set(pipeline: number, word: keyof typeof WORDS, value: number): void {
    Atomics.store(this.#words, this.#place(pipeline, word), value);
  }
}
