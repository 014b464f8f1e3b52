/**
 * Started as a process of its own, and plain JavaScript so that no loader takes memory in it: decodes the file argv[3]
 * by the layer argv[2] and prints how it ended and how much memory the process ever had.
 */
import { existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { DecodeChain } from '../../dist/codec/decode-chain.js';

const [layer, file] = process.argv.slice(2);
const key = { cipher: 'AES256', bytes: new Uint8Array(32) };
const piece = Buffer.alloc(256 * 1024);
let outputBytes = 0;
let code = 'none';
try {
  const chain = new DecodeChain({ layers: [layer], key, output: (bytes) => (outputBytes += bytes.length) });
  const fd = openSync(file, 'r');
  for (let count = readSync(fd, piece); count > 0; count = readSync(fd, piece)) {
    chain.push(piece.subarray(0, count));
  }
  chain.end();
} catch (error) {
  code = error.code;
}
// The figure of getrusage begins with what the parent had before it became this program; that of /proc does not.
const peakKib = existsSync('/proc/self/status')
  ? /VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
  : process.resourceUsage().maxRSS;
console.log(JSON.stringify({ code, outputBytes, peakBytes: Number(peakKib) * 1024 }));
