/** Puts together what the small files of a backup say of it. */
import type { LayerName } from '../codec/codec.js';
import { allLayersOf } from '../codec/stored-layers.js';
import type { BackupDescription } from '../ui/reporter.js';
import { parseBinlogInfo, parseBinlogPos, type BinlogPosition } from './small-files/binlog-info.js';
import { keyPlugin } from './small-files/key-plugin.js';
import { parseKeyValues } from './small-files/key-values.js';
import { parseMetadata } from './small-files/metadata-json.js';
import { replicationStarts } from './replication.js';
import { serverSettings } from './small-files/server-settings.js';
import type { SmallFileKind } from './small-files/small-files.js';

/** What the small files of a backup say. */
export type SmallTexts = Partial<Record<Exclude<SmallFileKind, 'link'>, string>>;

type TextFacts = Omit<
  BackupDescription,
  | 'state'
  | 'files'
  | 'bytes'
  | 'archiveBytes'
  | 'wrappers'
  | 'elsewhere'
  | 'complete'
  | 'unread'
  | 'missing'
  | 'next'
  | 'placeholders'
  | 'compression'
  | 'encrypted'
>;

/** As `xtrabackup_checkpoints` of Percona's and of MariaDB's tool calls it. */
const PREPARED: ReadonlySet<string> = new Set(['full-prepared', 'log-applied']);
/** Anything else, as what is left of a cut file, says nothing. */
const KINDS: ReadonlyMap<string, 'full' | 'incremental'> = new Map([
  ['full-backuped', 'full'],
  ['incremental', 'incremental'],
]);

/**
 * What the small files tell. What none of them says is undefined.
 *
 * @param systemByFiles which server it is of, as the names of the other files have it
 */
export function factsOf(texts: SmallTexts, systemByFiles: 'MariaDB' | 'MySQL' | undefined): TextFacts {
  const info = parseKeyValues(texts.info ?? '');
  const checkpoints = parseKeyValues(texts.checkpoints ?? '');
  const metadata = parseMetadata(texts.metadata ?? '');
  const first = (key: string, other = key): string | undefined =>
    [info.get(key), checkpoints.get(other), metadata.get(key), metadata.get(other)].find(
      (value) => value !== undefined && value !== '',
    );
  const backupType = first('backup_type');
  const binlog = binlogOf(texts, info.get('binlog_pos') ?? metadata.get('binlog_pos'));
  const serverVersion = first('server_version');
  const tool = first('tool_name');
  const toolVersion = first('tool_version');
  const system = systemOf(serverVersion ?? toolVersion) ?? systemByFiles;
  const config = parseKeyValues(texts.config ?? '');
  return {
    system,
    tool,
    toolVersion,
    toolCommand: first('tool_command'),
    serverVersion,
    serverFlavor: first('server_flavor'),
    name: first('name'),
    uuid: first('uuid'),
    kind: kindOf(backupType, first('incremental')),
    backupType,
    fromLsn: first('innodb_from_lsn', 'from_lsn'),
    toLsn: first('innodb_to_lsn', 'to_lsn'),
    lastLsn: first('last_lsn'),
    startTime: first('start_time'),
    endTime: first('end_time'),
    partial: yesOrNo(first('partial')),
    prepared: backupType === undefined ? undefined : PREPARED.has(backupType),
    keyPlugin: keyPlugin(config),
    serverSettings: serverSettings(config, { system, version: serverVersion ?? toolVersion }),
    binlogFile: binlog.file,
    binlogPosition: binlog.position,
    gtid: binlog.gtid,
    replication: replicationStarts(binlog, texts.replica, { system, version: serverVersion }),
  };
}

/** MariaDB's versions say so; those of MySQL and its kin, and of Percona's tool, which backs up both, do not. */
function systemOf(version: string | undefined): 'MariaDB' | undefined {
  return /maria/i.test(version ?? '') ? 'MariaDB' : undefined;
}

function binlogOf(texts: SmallTexts, position: string | undefined): BinlogPosition {
  const own = texts.binlog === undefined ? {} : parseBinlogInfo(texts.binlog);
  if (own.file !== undefined || position === undefined) return own;
  return parseBinlogPos(position) ?? own;
}

/** @returns undefined also where one word contradicts the other */
function kindOf(backupType: string | undefined, incremental: string | undefined): 'full' | 'incremental' | undefined {
  // A full backup to which increments were added has the xtrabackup_info of the last of them.
  if (backupType !== undefined && PREPARED.has(backupType)) return 'full';
  const answer = yesOrNo(incremental);
  const byInfo = answer === undefined ? undefined : answer ? 'incremental' : 'full';
  if (backupType === undefined) return byInfo;
  const byType = KINDS.get(backupType);
  return byInfo === undefined || byInfo === byType ? byType : undefined;
}

function yesOrNo(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  return /^(?:Y|yes|true|1)$/i.test(text);
}

/** The layers that the names of files tell of. */
export function layersIn(paths: readonly string[]): { compression: LayerName[]; encrypted: boolean } {
  const found = new Set(paths.flatMap(allLayersOf));
  const encrypted = found.delete('xbcrypt');
  return { compression: [...found], encrypted };
}
