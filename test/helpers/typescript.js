/**
 * Has Node take TypeScript (`node --import ./test/helpers/typescript.js FILE`), in the main thread only: those of the program need
 * none, and to start each of them with a loader takes longer than what most tests do.
 */
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.setSourceMapsEnabled(true);
  register('./typescript-hooks.js', import.meta.url);
}
