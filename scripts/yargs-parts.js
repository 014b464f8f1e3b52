/**
 * Stands in for modules that yargs loads for its help and its version, which are never asked for here: they take 25 ms, a third
 * of the time of a short run. `string-width` makes a segmenter of words and a table of all emoji, `node:assert` the standard
 * streams, and `escalade` looks for a package.json in all folders above.
 */
export default function nothing() {
  return undefined;
}

/** @type {(actual: unknown, expected: unknown, message?: string) => void} */
export function strictEqual(actual, expected, message) {
  if (actual !== expected) throw new Error(message);
}

/** @type {(actual: unknown, expected: unknown, message?: string) => void} */
export function notStrictEqual(actual, expected, message) {
  if (actual === expected) throw new Error(message);
}
