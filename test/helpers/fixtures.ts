import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const FOLDER = fileURLToPath(new URL('../fixtures/', import.meta.url));

/** A real archive, and what must come out of it without decoding anything. */
export interface Fixture {
  /** As `percona/base-lz4-NONE`. */
  name: string;
  bytes: Buffer;
  /** SHA-256 in hex by name. */
  sha256: Readonly<Record<string, string>>;
}

const names = ['percona', 'mariadb'].flatMap((folder) =>
  fs
    .readdirSync(FOLDER + folder)
    .filter((name) => /\.xbs(?:\.gz)?$/.test(name))
    .map((name) => `${folder}/${name}`),
);

/** The names of all of them. */
export const FIXTURE_NAMES: readonly string[] = names.map((name) => name.replace(/\.xbs(?:\.gz)?$/, ''));

export function fixture(name: string): Fixture {
  const packed = names.includes(`${name}.xbs.gz`);
  const bytes = fs.readFileSync(`${FOLDER}${name}.xbs${packed ? '.gz' : ''}`);
  const sums = fs.existsSync(`${FOLDER}${name}.raw.sha256`) ? `${name}.raw.sha256` : `${name}.sha256`;
  return { name, bytes: packed ? gunzipSync(bytes) : bytes, sha256: readSums(FOLDER + sums) };
}

/** Where an archive that is stored as it is lies. */
export function fixturePath(name: string): string {
  return `${FOLDER}${name}.xbs`;
}

function readSums(path: string): Record<string, string> {
  const lines = fs.readFileSync(path, 'latin1').trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const found = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
      if (found === null) throw new Error(`not a line of sha256sum: ${line}`);
      return [found[2]!.replace(/^\.\//, ''), found[1]!] as const;
    }),
  );
}
