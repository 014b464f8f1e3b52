/** An archive with one damage of each kind, each in a file of its own. */
import { archive, end, file, noise, payload, payloadLike, sparse } from './archive-bytes.js';

export interface PlacedDamage {
  kind: string;
  /** The file that has it. */
  path: string;
  /** Where in the archive a problem may be said to be. */
  from: number;
  to: number;
}

const CHUNK = 5000;

/** Good files between, and around, the damaged ones. */
export function tenDamages(): { bytes: Buffer; damages: PlacedDamage[]; good: Record<string, Buffer> } {
  const parts: Buffer[] = [];
  const damages: PlacedDamage[] = [];
  const good: Record<string, Buffer> = {};
  let at = 0;
  let seed = 1;
  const add = (bytes: Buffer): void => {
    parts.push(bytes);
    at += bytes.length;
  };
  const addGood = (): void => {
    seed += 1;
    const content = noise(12_345, seed);
    good[`good/g${seed}.ibd`] = content;
    add(file(`good/g${seed}.ibd`, content, CHUNK));
  };
  const damaged = (kind: string, make: (path: string, content: Buffer) => Buffer): void => {
    const path = `bad/${kind}.ibd`;
    seed += 1;
    const from = at;
    add(make(path, noise(3 * CHUNK, seed)));
    damages.push({ kind, path, from, to: at });
    addGood();
  };
  const chunks = (path: string, content: Buffer): Buffer[] =>
    [0, 1, 2].map((index) => payload(path, index * CHUNK, content.subarray(index * CHUNK, (index + 1) * CHUNK)));
  const changed = (bytes: Buffer, place: number, change: (bytes: Buffer, place: number) => void): Buffer => {
    const copy = Buffer.from(bytes);
    change(copy, place);
    return copy;
  };
  const flip = (bytes: Buffer, place: number): void => {
    bytes[place]! ^= 0x10;
  };

  addGood();
  damaged('payload', (path, content) => {
    const [a, b, c] = chunks(path, content);
    return archive(a!, changed(b!, b!.length - 100, flip), c!, end(path));
  });
  damaged('magic', (path, content) => {
    const [a, b, c] = chunks(path, content);
    return archive(a!, changed(b!, 3, flip), c!, end(path));
  });
  damaged('type', (path, content) => {
    const [a, b, c] = chunks(path, content);
    return archive(a!, changed(b!, 9, flip), c!, end(path));
  });
  damaged('path-length', (path, content) => {
    const [a, b, c] = chunks(path, content);
    return archive(a!, changed(b!, 10, flip), c!, end(path));
  });
  damaged('length-up', (path, content) => {
    const [a, b, c] = chunks(path, content);
    return archive(
      a!,
      changed(b!, 14 + path.length + 1, (bytes, place) => (bytes[place]! += 8)),
      c!,
      end(path),
    );
  });
  damaged('length-down', (path, content) => {
    const [a, b, c] = chunks(path, content);
    return archive(
      a!,
      changed(b!, 14 + path.length + 1, (bytes, place) => (bytes[place]! -= 8)),
      c!,
      end(path),
    );
  });
  damaged('offset', (path, content) => {
    const [a, b, c] = chunks(path, content);
    return archive(
      a!,
      changed(b!, 14 + path.length + 8, (bytes, place) => (bytes[place]! += 1)),
      c!,
      end(path),
    );
  });
  damaged('gap', (path, content) => {
    const [a, , c] = chunks(path, content);
    return archive(a!, c!, end(path));
  });
  damaged('no-end', (path, content) => archive(...chunks(path, content)));
  damaged('sparse-map', (path, content) =>
    archive(sparse(path, 0, [[100, 7]], content.subarray(0, 8), { payloadBytes: 8 }), end(path)),
  );
  damaged('unknown', (path, content) => archive(payloadLike('Z', path, 0, content), end(path)));
  damaged('garbage', (path, content) => archive(...chunks(path, content), noise(333, 99), end(path)));
  return { bytes: Buffer.concat(parts), damages, good };
}
