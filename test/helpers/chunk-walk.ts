/** Where the chunks of a good archive lie: a reader of the tests' own. */

export interface WalkedChunk {
  type: string;
  flags: number;
  path: string;
  /** Of a rename. */
  newPath: string | undefined;
  /** Position of the magic, in bytes. */
  start: number;
  /** Where the payload, or the sparse map before it, begins. */
  headerEnd: number;
  payloadStart: number;
  end: number;
  fileOffset: number;
}

/** All chunks of an archive that is known to be good; only Percona's `S` is expected. */
export function walkChunks(archive: Buffer): WalkedChunk[] {
  const chunks: WalkedChunk[] = [];
  for (let start = 0; start < archive.length;) {
    const type = String.fromCharCode(archive[start + 9]!);
    const pathEnd = start + 14 + archive.readUInt32LE(start + 10);
    const path = archive.toString('latin1', start + 14, pathEnd);
    let headerEnd = pathEnd;
    let payloadStart = pathEnd;
    let end = pathEnd;
    let fileOffset = 0;
    let newPath: string | undefined;
    if (type === 'P') {
      headerEnd = payloadStart = pathEnd + 20;
      end = headerEnd + Number(archive.readBigUInt64LE(pathEnd));
      fileOffset = Number(archive.readBigUInt64LE(pathEnd + 8));
    } else if (type === 'S') {
      headerEnd = pathEnd + 24;
      payloadStart = headerEnd + 8 * archive.readUInt32LE(pathEnd);
      end = payloadStart + Number(archive.readBigUInt64LE(pathEnd + 4));
      fileOffset = Number(archive.readBigUInt64LE(pathEnd + 12));
    } else if (type === 'R') {
      headerEnd = payloadStart = end = pathEnd + 4 + archive.readUInt32LE(pathEnd);
      newPath = archive.toString('latin1', pathEnd + 4, end);
    }
    chunks.push({ type, flags: archive[start + 8]!, path, newPath, start, headerEnd, payloadStart, end, fileOffset });
    start = end;
  }
  return chunks;
}
