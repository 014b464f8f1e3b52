/** Ends with 0 where dist/ is newer than all that it is made of: `npm test` need not build again what `npm ci` has built. */
import * as fs from 'node:fs';

/** What a build makes last. */
const LAST = 'dist/man/tsxbstream.1';
const FOLDERS = ['src', 'scripts'];
const FILES = ['package.json', 'package-lock.json', 'tsconfig.json'];

const inFolders = FOLDERS.flatMap((folder) =>
  // Folders, too: one that has lost a file is newer than the file was.
  [folder, ...fs.readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name}`)],
);
const newest = Math.max(...[...inFolders, ...FILES].map((path) => fs.statSync(path).mtimeMs));
process.exitCode = fs.existsSync(LAST) && fs.statSync(LAST).mtimeMs > newest ? 0 : 1;
