import * as fs from 'node:fs';
import { systemError } from '../errors.js';
import type { OutputFile } from './output.js';

/**
 * Writes a line for each file as `sha256sum -c` reads them.
 *
 * @throws XbstreamError `XB_IO`
 */
export function writeManifest(manifest: string, files: Iterable<OutputFile>): void {
  let lines = '';
  for (const { path, sha256 } of files) {
    if (sha256 !== undefined) lines += manifestLine(path, sha256);
  }
  try {
    fs.writeFileSync(manifest, lines, { encoding: 'latin1' });
  } catch (error) {
    throw systemError(`cannot write the manifest ${manifest}`, error);
  }
}

/** sha256sum marks a line whose name holds a backslash or a line break with a backslash, and escapes those in it. */
function manifestLine(path: string, sha256: string): string {
  const escaped = path.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r');
  return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
}
