#!/usr/bin/env node
// Any Node since 12 must be able to parse this file, and what it imports here: the rest is loaded where Node will do.
import { oldNode } from '../dist/needed-node.js';

// Without a listener Node opens its debugger to whoever sends it. The verb that runs has one that answers.
process.on('SIGUSR1', () => {});
// Until the end is known: a program that ends before it has not done its work.
process.exitCode = 1;
const problem = oldNode();
if (problem === undefined) {
  import('../dist/program/main.js')
    .then(({ main }) => main(process))
    .then((exitCode) => {
      process.exitCode = exitCode;
    });
} else {
  console.error(problem);
}
