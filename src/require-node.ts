/** Imported first by the library: what comes after it may not run where Node is too old, and would not say why. */
import { oldNode } from './needed-node.js';

const problem = oldNode();
if (problem !== undefined) throw new Error(problem);
