/* What the executable runs: `part`, which load.js gives it, is 'main' or a thread's module. */
import { main } from '../../dist/cli/main.js';
import { THREADS } from 'generated:threads';

/* global part */

if (part === 'main') {
  // The name that it was started by, as Node has it where a script is started.
  process.argv[1] = process.argv0;
  // As bin/tsxbstream.js does.
  process.on('SIGUSR1', () => {});
  process.exitCode = 1;
  main(process).then((exitCode) => {
    process.exitCode = exitCode;
  });
} else {
  THREADS[part]();
}
