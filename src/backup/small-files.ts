import type { DecryptionKey } from '../codec/codec.js';
import { DecodeChain } from '../codec/decode-chain.js';
import { layersOf } from '../codec/stored-layers.js';
import { XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';

/** The files in which a backup tells of itself: what they are, by their names without what was done to them. */
const KINDS = {
  xtrabackup_info: 'info',
  mariadb_backup_info: 'info',
  xtrabackup_checkpoints: 'checkpoints',
  mariadb_backup_checkpoints: 'checkpoints',
  xtrabackup_binlog_info: 'binlog',
  mariadb_backup_binlog_info: 'binlog',
  xtrabackup_slave_info: 'replica',
  mariadb_backup_slave_info: 'replica',
  'backup-my.cnf': 'config',
  'backup_metadata.json': 'metadata',
} as const;

export type SmallFileKind = (typeof KINDS)[keyof typeof KINDS];

/** Most bytes of such a file when it is decoded. */
const MAX_TEXT_BYTES = 1024 * 1024;

const BOTH = { decrypt: true, decompress: true };

/** What a stored file tells of the backup, if it is one of those. */
export function smallFileKind(path: StoredPath): SmallFileKind | undefined {
  if (path.length > 200 || path.includes('/')) return undefined;
  try {
    const { finalName } = layersOf(path, BOTH);
    return Object.hasOwn(KINDS, finalName) ? KINDS[finalName as keyof typeof KINDS] : undefined;
  } catch {
    return undefined; // a name that is nothing but a suffix
  }
}

/**
 * The text of such a file.
 *
 * @param content as it is stored
 * @throws XbstreamError what a codec throws, `XB_KEY_REQUIRED`, `XB_UNSUPPORTED_LAYER` when it is too large
 */
export async function smallFileText(
  path: StoredPath,
  content: Buffer,
  key: DecryptionKey | undefined,
): Promise<string> {
  const { layers } = layersOf(path, BOTH);
  const isPlain = layers.length === 0 || content.length === 0;
  return (isPlain ? content : await decode(layers, content, key)).toString('utf8');
}

async function decode(
  layers: ReturnType<typeof layersOf>['layers'],
  content: Buffer,
  key: DecryptionKey | undefined,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const chain = new DecodeChain({
    layers,
    key,
    output: (piece) => {
      bytes += piece.length;
      if (bytes > MAX_TEXT_BYTES)
        throw new XbstreamError('XB_UNSUPPORTED_LAYER', 'it is larger than such a file can be');
      pieces.push(Buffer.from(piece));
    },
  });
  try {
    chain.push(content);
    await chain.ready();
    await chain.end();
  } finally {
    chain.close();
  }
  return Buffer.concat(pieces);
}
