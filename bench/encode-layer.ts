/**
 * Encodes stdin to stdout as xtrabackup does, for archives that are measured: `aes256` (xbcrypt, version 3), `qpress`, or
 * one after the other.
 *
 *     node --import tsx bench/encode-layer.ts qpress aes256 < file > file.qp.xbcrypt
 */
import { readFileSync, writeSync } from 'node:fs';
import { qpressFile, xbcryptFile } from '../test/helpers/layer-writers.js';

/** The key of all measured archives; no secret. */
const KEY = Buffer.from('0123456789abcdef0123456789ABCDEF');

const LAYERS: Record<string, (content: Buffer) => Buffer> = {
  aes256: (content) => xbcryptFile(content, { cipher: 'AES256', bytes: KEY }),
  qpress: qpressFile,
};

let encoded: Buffer = readFileSync(0);
for (const layer of process.argv.slice(2)) {
  const encode = LAYERS[layer];
  if (encode === undefined) throw new Error(`unknown layer ${layer}`);
  encoded = encode(encoded);
}
for (let done = 0; done < encoded.length;) done += writeSync(1, encoded, done);
