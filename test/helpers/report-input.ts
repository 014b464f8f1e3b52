import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of an input that went wrong once, by its name in `test/fixtures/reports`. */
export function reportPath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/reports/${name}`, import.meta.url));
}

/** Its bytes. */
export function reportInput(name: string): Buffer {
  return readFileSync(reportPath(name));
}
