import type { Found } from '../unit-decoder.js';
import { ZstdWalk } from './zstd-walk.js';

/**
 * Follows zstd data that the program `zstd` decodes, from frame to frame: behind one the program would take other formats, too,
 * whatever it is told.
 */
export class ZstdFollower extends ZstdWalk {
  protected readonly isStreamed = true;
  #soundBytes = 0;

  constructor() {
    super({ output: () => undefined, isFull: () => false });
  }

  /** So many bytes, from the beginning on, are of zstd data; those of what stands behind them as far as they have come. */
  get soundBytes(): number {
    return this.#soundBytes;
  }

  protected override measure(window: Buffer, at: number): Found {
    this.#soundBytes = this.windowOffset + at;
    return super.measure(window, at);
  }

  protected beginFrame(window: Buffer, at: number, available: number): Found {
    this.frame = this.header(window, at, available);
    if (this.frame === undefined) return 'more';
    this.frame.walkedBytes = 0;
    this.unitBytes = this.frame.headerBytes;
    return 'skip';
  }

  protected walk(window: Buffer, at: number, available: number): Found {
    const found = this.measureBlock(this.frame!, window, at, available);
    if (found !== 'unit') return found;
    if (this.frame!.lastBlockWalked) this.frame = undefined;
    return 'skip';
  }

  protected decode(): void {
    // That is what the program is for.
  }
}
