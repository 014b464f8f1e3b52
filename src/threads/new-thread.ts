/** How the modules of threads are started and loaded. The executable, in which they are no files, has another module in this one's place. */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** @param module the thread's */
export function newThread(module: URL, options: WorkerOptions): Worker {
  return new Worker(module, { ...threadArguments(), ...options });
}

/** Loads the module of a thread into this one. */
export async function loadThreadModule<Module>(module: URL): Promise<Module> {
  return (await import(module.href)) as Module;
}

/**
 * What Node is told when a thread is started: nothing, which means as this process was; but a thread must not be told what
 * only a program on the command line may be (`node --input-type=module -e ...`), nor does it take V8's own options then.
 */
function threadArguments(): { execArgv?: string[] } {
  return process.execArgv.some((word) => word.startsWith('--input-type')) ? { execArgv: [] } : {};
}
