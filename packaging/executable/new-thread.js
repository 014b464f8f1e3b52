/* Stands in the place of src/threads/new-thread.ts: the threads of the executable are parts of it, and no files. */
import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import { THREADS } from 'generated:threads';

/* global LOAD -- the text of load.js, which the bundler puts in. */

/** @param {URL} module of the thread, of which only the name counts @param {import('node:worker_threads').WorkerOptions} options */
export function newThread(module, options) {
  return new Worker(`${LOAD}load(${JSON.stringify(basename(module.pathname))});`, { ...options, eval: true });
}

/** @param {URL} module of a thread */
export function loadThreadModule(module) {
  return THREADS[basename(module.pathname)]();
}
