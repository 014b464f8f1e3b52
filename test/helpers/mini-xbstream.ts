import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const CHUNK_MAGIC = 'XBSTCK01';

/** Splits an archive of P and E chunks into its stored files, names one character a byte. Trusts the archive. */
export function splitArchive(archive: Buffer): Map<string, Buffer> {
  const parts = new Map<string, Buffer[]>();
  for (let at = 0; at < archive.length;) {
    if (archive.toString('latin1', at, at + 8) !== CHUNK_MAGIC) throw new Error(`no chunk at byte ${at}`);
    const type = archive.toString('latin1', at + 9, at + 10);
    const pathEnd = at + 14 + archive.readUInt32LE(at + 10);
    const path = archive.toString('latin1', at + 14, pathEnd);
    const pieces = parts.get(path) ?? [];
    parts.set(path, pieces);
    if (type === 'E') {
      at = pathEnd;
    } else if (type === 'P') {
      const payloadAt = pathEnd + 20;
      const payloadBytes = Number(archive.readBigUInt64LE(pathEnd));
      pieces.push(archive.subarray(payloadAt, payloadAt + payloadBytes));
      at = payloadAt + payloadBytes;
    } else {
      throw new Error(`chunk of type ${type} at byte ${at}`);
    }
  }
  return new Map([...parts].map(([path, pieces]) => [path, Buffer.concat(pieces)]));
}

/** @param name path below test/fixtures; `.gz` is undone */
export function readFixture(name: string): Buffer {
  const bytes = readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** `sha256sum` lines as a map from name to hash. */
export function readManifest(name: string): Map<string, string> {
  const lines = readFixture(name).toString('latin1').trimEnd().split('\n');
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}
