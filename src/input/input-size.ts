import * as fs from 'node:fs';
import type { InputChoice } from './open-source.js';

/** Bytes of an input that is a regular file; undefined where it is not known before the end. */
export function inputSize(input: InputChoice): number | undefined {
  if (input.kind === 'ring' || input.kind === 'named-pipes' || input.kind === 'address') return undefined;
  if (input.kind === 'parts') return sumOf(input.paths.map((path) => inputSize({ kind: 'path', path })));
  try {
    const stat = input.kind === 'path' ? fs.statSync(input.path) : fs.fstatSync(input.fd);
    return stat.isFile() ? stat.size : undefined;
  } catch {
    return undefined; // opening it will say why
  }
}

function sumOf(sizes: readonly (number | undefined)[]): number | undefined {
  return sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0);
}
