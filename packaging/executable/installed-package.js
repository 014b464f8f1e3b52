/*
 * Stands in the place of src/installed-package.ts: what is loaded in the middle of a call is a part of the executable. Native
 * packages must be files to the system's loader; each becomes one without a name, which nobody else can find, open or replace,
 * and of which nothing is left however the program ends.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { getRawAsset } from 'node:sea';

/* global require -- of the bundler, which takes in what it names. */

/** Linux has it on every architecture; its other bit is that of O_DIRECTORY. */
const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;
/** The first holds the file in memory; from either nothing can be run where it is mounted so. */
const FOLDERS = ['/dev/shm', tmpdir()];

const PACKAGES = {
  picomatch: () => require('picomatch'),
  '@node-rs/crc32': () => native('crc32.node'),
  'lz4-napi': () => native('lz4.node'),
};

/** @param {string} name @returns {unknown} what the package exports @throws where it does not load */
export function installedPackage(name) {
  const load = PACKAGES[name];
  if (load === undefined) throw new Error(`${name} is not a part of the executable`);
  return load();
}

function native(name) {
  let problem;
  for (const folder of FOLDERS) {
    try {
      return loadFrom(folder, Buffer.from(getRawAsset(name)));
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

function loadFrom(folder, bytes) {
  const fd = fs.openSync(folder, fs.constants.O_RDWR | O_TMPFILE, 0o500);
  try {
    for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at);
    const module = { exports: {} };
    process.dlopen(module, `/proc/self/fd/${fd}`);
    // It stays open: the loader knows what it has loaded by the name, which must not be that of another file later.
    return module.exports;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}
