/** Where in the server's binary logs a backup stands. */
export interface BinlogPosition {
  file?: string | undefined;
  position?: string | undefined;
  gtid?: string | undefined;
}

/** `xtrabackup_binlog_info`: file, position and GTID set, with tabs between; a GTID set may go on over lines. */
export function parseBinlogInfo(text: string): BinlogPosition {
  const [file, position, ...gtid] = text.trim().split('\t');
  return {
    file: file === '' ? undefined : file,
    position,
    gtid: gtid.length === 0 ? undefined : withoutSpace(gtid.join('')),
  };
}

/**
 * `binlog_pos` of `xtrabackup_info`: `filename 'binlog.000003', position '157', GTID of the last change '...'`.
 *
 * @returns undefined when there is none
 */
export function parseBinlogPos(value: string): BinlogPosition | undefined {
  const file = /filename '([^']*)'/.exec(value)?.[1];
  const position = /position '?(\d+)'?/.exec(value)?.[1];
  const gtid = /GTID of the last change '([^']*)'/.exec(value)?.[1];
  if (file === undefined && position === undefined && gtid === undefined) return undefined;
  return { file, position, gtid: gtid === undefined || gtid === '' ? undefined : withoutSpace(gtid) };
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '');
}
