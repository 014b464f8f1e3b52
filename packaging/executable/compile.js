/* Writes what V8 has compiled of a script: node compile.js SCRIPT CACHE */
import { readFileSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';

const [, , scriptPath, cachePath] = process.argv;
const script = new Script(readFileSync(scriptPath, 'latin1'), { filename: 'tsxbstream.js' });
writeFileSync(cachePath, script.createCachedData());
