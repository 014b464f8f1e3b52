/**
 * Encodes stdin to stdout as xtrabackup does, for archives that are measured: `aes256` (xbcrypt, version 3) or `qpress`.
 *
 *     node --import tsx bench/encode-layer.ts aes256 < file > file.xbcrypt
 */
import { readFileSync, writeSync } from 'node:fs';
import { qpressFile, xbcryptFile } from '../test/helpers/layer-writers.js';

/** The key of all measured archives; no secret. */
const KEY = Buffer.from('0123456789abcdef0123456789ABCDEF');

const layer = process.argv[2];
const content = readFileSync(0);
let encoded: Buffer;
if (layer === 'aes256') encoded = xbcryptFile(content, { cipher: 'AES256', bytes: KEY });
else if (layer === 'qpress') encoded = qpressFile(content);
else throw new Error(`unknown layer ${String(layer)}`);
for (let done = 0; done < encoded.length;) done += writeSync(1, encoded, done);
