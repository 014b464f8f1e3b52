/** The part of the global `WebAssembly` that is used here; the types of Node have none of it. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
}

interface WasmMemory {
  buffer: ArrayBuffer;
  grow(pages: number): number;
}

const PAGE_BYTES = 65536;

/** A module of WebAssembly with its own memory, into which what it is to work on is copied. */
export class WasmKernel<Functions> {
  readonly functions: Functions;
  readonly #memory: WasmMemory;
  #bytes: Buffer;

  /** @param module in base64 */
  constructor(module: string) {
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
    const exports = new Instance(new Module(Buffer.from(module, 'base64'))).exports as Functions & {
      memory: WasmMemory;
    };
    this.functions = exports;
    this.#memory = exports.memory;
    this.#bytes = Buffer.from(this.#memory.buffer);
  }

  /** All of its memory. */
  get memory(): Buffer {
    return this.#bytes;
  }

  /** Makes the memory at least so large. It only grows; what was taken of it before is gone when it does. */
  reserve(bytes: number): void {
    const missingBytes = bytes - this.#bytes.length;
    if (missingBytes <= 0) return;
    this.#memory.grow(Math.ceil(missingBytes / PAGE_BYTES));
    this.#bytes = Buffer.from(this.#memory.buffer);
  }
}
