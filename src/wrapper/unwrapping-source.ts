/**
 * The bytes of another source, with undone what they are wrapped in as a whole; by their first bytes it is told whether
 * there is anything to be undone. Decoding is done elsewhere, in a {@link Stage}, while this thread does its work: it passes
 * on what comes from the source, and what has been decoded. What is inside may be wrapped again.
 */
import type { ZstdFollower } from '../codec/zstd/zstd-follower.js';
import type { XbstreamError } from '../errors.js';
import type { StreamKey } from '../input/open-source.js';
import { PIECE_ROOM_BYTES, type ByteSink, type Source } from '../input/source.js';
import { WRAPPER_HEAD_BYTES, wrapperOf, type WrapperFormat, type WrapperName } from './formats.js';
import type { Stage } from './stage.js';
import { copyBytes } from '../threads/copy-bytes.js';
import { WrapperError } from './wrapper-error.js';

/** More than this is nobody's backup. */
const DEPTH_MAX = 3;
/** How many decoded bytes are taken until events are handled: what is to be decoded next comes by events. */
const TURN_BYTES = 512 * 1024;

export interface UnwrappingOptions {
  isStopped: () => boolean;
  /** Decrypts. */
  key: StreamKey | undefined;
  /** Is given every byte of a wrapped input, before anything of what is inside is given to the sink. */
  onRaw?: ((piece: Buffer) => void) | undefined;
}

export class UnwrappingSource implements Source {
  readonly seekable = false;
  readonly #raw: Source;
  readonly #options: UnwrappingOptions;
  readonly #depth: number;
  #format: WrapperFormat | undefined;
  /** Set when the first bytes are known, where there is something to be undone. */
  #stage: Promise<Stage> | undefined;
  #opened: Stage | undefined;
  #inner: UnwrappingSource | undefined;
  /** What became of what is inside: what it failed with, in a box. */
  #inside: Promise<{ error: unknown } | undefined> = Promise.resolve(undefined);
  #tellFailedInside: () => void = () => undefined;
  readonly #failedInside = new Promise<void>((resolve) => {
    this.#tellFailedInside = resolve;
  });
  /** The input had failed before. */
  #isStarved = false;
  #hasFailedInside = false;
  #rawBytes = 0;
  #stopped = false;

  constructor(raw: Source, options: UnwrappingOptions, depth = 0) {
    this.#raw = raw;
    this.#options = options;
    this.#depth = depth;
  }

  /** Outermost first. */
  get wrappers(): readonly WrapperName[] {
    return this.#format === undefined ? [] : [this.#format.name, ...(this.#inner?.wrappers ?? [])];
  }

  get inputBytes(): number | undefined {
    return this.#format === undefined ? undefined : this.#rawBytes;
  }

  get totalBytes(): number | undefined {
    return this.#raw.totalBytes;
  }

  async run(sink: ByteSink): Promise<void> {
    const head = new HeadSink(sink, this.#depth > 0, (bytes) => this.#begin(bytes, sink));
    let failure: { error: unknown } | undefined;
    try {
      // An input that is silent may not notice that it was stopped.
      await Promise.race([this.#raw.run(head), this.#failedInside]);
      if (!this.#isEnded && !this.#hasFailedInside) await head.end();
    } catch (error) {
      failure = { error };
      this.#isStarved = true;
    }
    const stage = await this.#stage;
    stage?.end(failure !== undefined || this.#isEnded);
    const inside = await this.#inside;
    if (failure !== undefined && (inside === undefined || this.#isStarved)) throw failure.error;
    if (inside !== undefined && !this.#isEnded) throw inside.error;
  }

  get #isEnded(): boolean {
    return this.#stopped || this.#options.isStopped();
  }

  /** What to do with the input, now that its first bytes are known. @returns who takes it; undefined: the sink, as it is */
  #begin(bytes: Buffer, sink: ByteSink): Taker | undefined {
    const format = wrapperOf(bytes);
    if (format === undefined) return undefined;
    if (this.#depth === DEPTH_MAX) throw tooDeep(format);
    this.#format = format;
    const opening = openStage(format, this.#options);
    this.#stage = opening;
    this.#inside = opening.then((stage) => this.#unwrap(stage, sink)).catch((error: unknown) => ({ error }));
    return (piece) => {
      this.#rawBytes += piece.length;
      this.#options.onRaw?.(piece);
      return this.#opened === undefined ? opening.then((stage) => stage.take(piece)) : this.#opened.take(piece);
    };
  }

  async #unwrap(stage: Stage, sink: ByteSink): Promise<{ error: unknown } | undefined> {
    this.#opened = stage;
    this.#inner = new UnwrappingSource(stage.source, { ...this.#options, onRaw: undefined }, this.#depth + 1);
    try {
      await this.#inner.run(sink);
      return undefined;
    } catch (error) {
      // Nobody wants the rest.
      if (!this.#isStarved) this.#raw.stop();
      stage.end(true);
      this.#hasFailedInside = true;
      this.#tellFailedInside();
      return { error };
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#raw.stop();
    this.#inner?.stop();
    this.#opened?.end(true);
  }

  close(): void {
    this.#inner?.close();
    this.#opened?.close();
    this.#raw.close();
  }
}

/** Loads what decodes only where there is something to be decoded. */
async function openStage(format: WrapperFormat, { isStopped, key }: UnwrappingOptions): Promise<Stage> {
  const { layer } = format;
  if (layer === 'xbcrypt' && key === undefined) throw noKey();
  if (layer !== undefined && !(await isForProgram(format))) {
    const { ThreadStage } = await import('./thread-stage.js');
    return new ThreadStage(layer, key, isStopped);
  }
  const { ProgramStage } = await import('./program-stage.js');
  return new ProgramStage(format, isStopped, layer === 'zstd' ? await zstdFollower() : undefined);
}

/** Where Node has no zstd of its own only whole frames are decoded, and an archive may be a single one. */
async function isForProgram({ layer, program }: WrapperFormat): Promise<boolean> {
  if (layer !== 'zstd' || program === undefined) return layer === undefined;
  const { canStreamZstd } = await import('../codec/zstd/zstd-stream.js');
  if (canStreamZstd()) return false;
  const { isInstalled } = await import('./program-stage.js');
  return isInstalled(program.command);
}

/** The program zstd goes on with gzip and other formats behind a frame. */
async function zstdFollower(): Promise<ZstdFollower> {
  const { ZstdFollower } = await import('../codec/zstd/zstd-follower.js');
  return new ZstdFollower();
}

function noKey(): WrapperError {
  return WrapperError.from({
    code: 'XB_KEY_REQUIRED',
    message: 'the archive is encrypted as a whole by xbcrypt, and no key was given',
    hints: ['give one by --encrypt-key-file=FILE (to verify: with --deep), or by the variable XBCRYPT_ENCRYPTION_KEY'],
  });
}

function tooDeep({ title }: WrapperFormat): XbstreamError {
  return WrapperError.from({
    code: 'XB_UNSUPPORTED_LAYER',
    message: `what is wrapped more than ${DEPTH_MAX} times is not undone, and inside of that is ${title}`,
  });
}

type Taker = (piece: Buffer) => Promise<void> | undefined;

/**
 * Takes the bytes of a source until it is known what to do with them. After that it is out of the way: the source puts them
 * where the sink has its room, and they go there.
 */
class HeadSink implements ByteSink {
  readonly skippableBytes = 0;
  readonly #sink: ByteSink;
  readonly #givesTurns: boolean;
  readonly #begin: (head: Buffer) => Taker | undefined;
  /** Room of its own: the sink's is for what the sink takes. */
  #own: Buffer | undefined = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  #held: Buffer = Buffer.alloc(0);
  #isDecided = false;
  #taker: Taker | undefined;
  #turnBytes = 0;

  /** @param begin is told the first bytes once; it returns who takes all of them, if that is not the sink */
  constructor(sink: ByteSink, givesTurns: boolean, begin: (head: Buffer) => Taker | undefined) {
    this.#sink = sink;
    this.#givesTurns = givesTurns;
    this.#begin = begin;
  }

  room(): Buffer {
    if (this.#isDecided && this.#taker === undefined) {
      this.#own = undefined;
      return this.#sink.room();
    }
    return this.#own!;
  }

  push(piece: Buffer): Promise<void> | undefined {
    if (this.#isDecided) return this.#give(piece);
    if (this.#held.length + piece.length >= WRAPPER_HEAD_BYTES) return this.#decide(piece);
    // The room is the source's again.
    this.#held = Buffer.concat([this.#held, piece]);
    return undefined;
  }

  skip(): void {
    // Every byte is wanted.
  }

  /** No more comes. */
  async end(): Promise<void> {
    if (!this.#isDecided) await this.#decide(Buffer.alloc(0));
  }

  /** @param piece what comes behind what is held */
  #decide(piece: Buffer): Promise<void> | undefined {
    const held = this.#held;
    this.#taker = this.#begin(Buffer.concat([held, piece.subarray(0, WRAPPER_HEAD_BYTES)]));
    this.#isDecided = true;
    this.#held = Buffer.alloc(0);
    // One by one: together they may be more than there is room for.
    const wait = held.length === 0 ? undefined : this.#give(held);
    if (piece.length === 0) return wait;
    return wait === undefined ? this.#give(piece) : wait.then(() => this.#give(piece));
  }

  #give(piece: Buffer): Promise<void> | undefined {
    if (this.#taker !== undefined) return this.#taker(piece);
    // A source may have asked for room once for several pieces.
    const wait = this.#own === undefined ? this.#sink.push(piece) : this.#giveCopy(piece);
    if (wait !== undefined || !this.#givesTurns) return wait;
    this.#turnBytes += piece.length;
    if (this.#turnBytes < TURN_BYTES) return undefined;
    this.#turnBytes = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }

  #giveCopy(piece: Buffer): Promise<void> | undefined {
    const room = this.#sink.room();
    return this.#sink.push(room.subarray(0, copyBytes(piece.subarray(0, room.length), room)));
  }
}
