/**
 * Keeps the number of open descriptors below what the system allows, however many files an archive interleaves: the
 * file that was not used for longest gives up its own.
 */
import { systemCodeOf } from '../../errors.js';

/** Something that holds a descriptor it can give up for a while and open again. */
export interface DescriptorHolder {
  /** Rising with each use, given by the pool. */
  lastUse: number;
  /** Closes the descriptor; the next use opens it again. */
  suspend(): void;
}

export class DescriptorPool {
  readonly #open = new Set<DescriptorHolder>();
  #limit: number;
  #clock = 0;
  readonly #beforeSuspend: () => void;

  /** @param beforeSuspend called before descriptors are closed that somebody else may be about to use */
  constructor(beforeSuspend: () => void, limit = 512) {
    this.#beforeSuspend = beforeSuspend;
    this.#limit = limit;
  }

  /** Opens something, making room first; when the system still refuses for want of descriptors, makes do with fewer. */
  open(holder: DescriptorHolder, openDescriptor: () => number): number {
    if (this.#open.size >= this.#limit) this.#suspendOldest(Math.ceil(this.#limit / 8));
    const descriptor = this.briefly(openDescriptor);
    this.#open.add(holder);
    this.touch(holder);
    return descriptor;
  }

  /** Does what takes a descriptor, if only for a moment; makes room where the system has none left. */
  briefly<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      const code = systemCodeOf(error);
      if ((code !== 'EMFILE' && code !== 'ENFILE') || this.#open.size === 0) throw error;
      this.#suspendOldest(Math.ceil(this.#open.size / 2));
      this.#limit = Math.max(4, this.#open.size + 1);
      return work();
    }
  }

  touch(holder: DescriptorHolder): void {
    holder.lastUse = this.#clock += 1;
  }

  /** The holder has closed its descriptor for good. */
  forget(holder: DescriptorHolder): void {
    this.#open.delete(holder);
  }

  /** Has everybody give up their descriptors. */
  suspendAll(): void {
    this.#suspendOldest(this.#open.size);
  }

  #suspendOldest(count: number): void {
    this.#beforeSuspend();
    const oldest = [...this.#open].sort((a, b) => a.lastUse - b.lastUse).slice(0, count);
    for (const holder of oldest) {
      this.#open.delete(holder);
      holder.suspend();
    }
  }
}
