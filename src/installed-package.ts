/**
 * Loads a package that is installed beside this program, in the middle of a call: what only few runs need, or what there may be
 * no binary of for this machine. The executable, beside which nothing is, has another module in this one's place.
 */
import { createRequire } from 'node:module';

/** @returns what the package exports @throws where it is missing, or does not load */
export function installedPackage(name: string): unknown {
  return createRequire(import.meta.url)(name);
}
