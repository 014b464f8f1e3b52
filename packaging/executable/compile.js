/*
 * Writes what V8 has compiled of a script: node --hash-seed=1 compile.js SCRIPT CACHE. The seed, which else is another one in each
 * run, decides in which order much of it stands.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const [, , scriptPath, cachePath] = process.argv;
const script = new Script(readFileSync(scriptPath, 'latin1'), { filename: 'tsxbstream.js' });
// V8 takes it only where flags are the same as they were here: those of whoever starts the program, who gives none.
setFlagsFromString('--hash-seed=0');
writeFileSync(cachePath, script.createCachedData());
