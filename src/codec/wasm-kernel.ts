/**
 * A module of WebAssembly with its own memory, into which what it is to work on is copied. Where there is no room for it the
 * same is done in JavaScript, in memory of the same layout, at half the speed or less.
 */
import { readFileSync } from 'node:fs';
import { XbstreamError } from '../errors.js';

/** The part of the global `WebAssembly` that is used here; the types of Node have none of it. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
}

interface KernelMemory {
  buffer: ArrayBuffer;
  grow(pages: number): unknown;
}

const PAGE_BYTES = 65536;
/** What the modules begin with. */
const FIRST_PAGES = 4;

export class WasmKernel<Functions> {
  readonly functions: Functions;
  readonly #memory: KernelMemory;
  #bytes: Buffer;

  /**
   * @param module in base64
   * @param inScript makes what does the same in JavaScript; it is given the memory as it is at the time
   */
  constructor(module: string, inScript: (memory: () => Buffer) => Functions) {
    const exports = instantiate(module) as (Functions & { memory: KernelMemory }) | undefined;
    this.#memory = exports?.memory ?? new ScriptMemory();
    this.#bytes = Buffer.from(this.#memory.buffer);
    this.functions = exports ?? inScript(() => this.#bytes);
  }

  /** All of its memory. */
  get memory(): Buffer {
    return this.#bytes;
  }

  /**
   * Makes the memory at least so large. It only grows; what was taken of it before is gone when it does.
   *
   * @throws XbstreamError `XB_IO` when the system has no more
   */
  reserve(bytes: number): void {
    const missingBytes = bytes - this.#bytes.length;
    if (missingBytes <= 0) return;
    try {
      this.#memory.grow(Math.ceil(missingBytes / PAGE_BYTES));
    } catch (error) {
      throw new XbstreamError('XB_IO', 'there is not enough memory to decode with', {
        details: [`${bytes} bytes are needed`],
        hints: ['give it more: see "ulimit -v", and the limits of the container'],
        systemCode: 'ENOMEM',
        cause: error,
      });
    }
    this.#bytes = Buffer.from(this.#memory.buffer);
  }
}

class ScriptMemory implements KernelMemory {
  buffer = new ArrayBuffer(FIRST_PAGES * PAGE_BYTES);

  grow(pages: number): void {
    const larger = new ArrayBuffer(this.buffer.byteLength + pages * PAGE_BYTES);
    new Uint8Array(larger).set(new Uint8Array(this.buffer));
    this.buffer = larger;
  }
}

function instantiate(module: string): unknown {
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: WebAssemblyApi };
  if (WebAssembly === undefined || isAddressSpaceLimited()) return undefined;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(module, 'base64'))).exports;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Each instance takes some 10 GB of addresses, most of which it never uses. Where they are limited (`ulimit -v`), one that
 * still fits leaves none to Node, which then ends without a word.
 */
function isAddressSpaceLimited(): boolean {
  try {
    return !/^Max address space +unlimited/m.test(readFileSync('/proc/self/limits', 'latin1'));
  } catch {
    return false;
  }
}
