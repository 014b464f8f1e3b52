import * as fs from 'node:fs';

/** What a path leads to, or a descriptor is, as far as it can be looked at: where it cannot, whoever opens it says why. */
export function lookAt(place: string | number): fs.Stats | undefined {
  try {
    return typeof place === 'string' ? fs.statSync(place) : fs.fstatSync(place);
  } catch {
    return undefined;
  }
}
