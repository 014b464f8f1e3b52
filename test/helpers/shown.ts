/** `shown FILE TEXT`: whether a file holds what a page says that a command shows. */
import * as fs from 'node:fs';
import { isShown } from './commands.js';

const [, , name, shown] = process.argv as [string, string, string, string];
const said = fs.readFileSync(name, 'utf8');
if (!isShown(said, shown)) {
  console.log(`it says:\n${said}\nand not:\n${shown}`);
  process.exitCode = 1;
}
