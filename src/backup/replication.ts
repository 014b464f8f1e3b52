/** The SQL by which a server that is restored from a backup becomes a replica. */
import type { ReplicationStart } from '../ui/reporter.js';
import type { BinlogPosition } from './small-files/binlog-info.js';
import { isFrom } from './version.js';

/** What MySQL takes a `gtid_purged` after: a restored server has transactions of its own, by its logs and `mysql.gtid_executed`. */
function forgetting(version: string | undefined): string {
  return (isFrom(version, 8, 2) ?? true) ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER';
}

/** What `xtrabackup_slave_info` may hold: nothing else of an archive is shown to be pasted into a server. */
const REPLICA_STATEMENT =
  /^(?:SET GLOBAL gtid_(?:slave_pos|purged)\s*=\s*'[\w:,\s-]*'|CHANGE (?:MASTER|REPLICATION SOURCE)(?: '[\w-]*')? TO [\w\s=',.:/-]+)$/i;

/**
 * The statements that let a restored server follow another.
 *
 * @param binlog where the server that was backed up stood in its own logs: it is the source
 * @param slaveInfo `xtrabackup_slave_info`: where it stood in those of its own source
 */
export function replicationStarts(
  binlog: BinlogPosition,
  slaveInfo: string | undefined,
  server: { system: 'MariaDB' | 'MySQL' | undefined; version: string | undefined },
): ReplicationStart[] {
  const isMariadb = server.system === 'MariaDB';
  const [change, prefix] =
    !isMariadb && (isFrom(server.version, 8, 0, 23) ?? true)
      ? ['CHANGE REPLICATION SOURCE TO', 'SOURCE']
      : ['CHANGE MASTER TO', 'MASTER'];
  const starts: ReplicationStart[] = [];
  const { file, position, gtid } = binlog;
  if (file !== undefined && position !== undefined && /^[\w./-]+$/.test(file) && /^\d+$/.test(position)) {
    starts.push({
      purpose: 'a replica of the server that was backed up, by position',
      statements: [`${change} ${prefix}_LOG_FILE='${file}', ${prefix}_LOG_POS=${position}`],
    });
  }
  if (gtid !== undefined && /^[\w:,-]+$/.test(gtid)) {
    starts.push({
      purpose: 'a replica of the server that was backed up, by GTID',
      statements: isMariadb
        ? [`SET GLOBAL gtid_slave_pos='${gtid}'`, `${change} MASTER_USE_GTID=slave_pos`]
        : [forgetting(server.version), `SET GLOBAL gtid_purged='${gtid}'`, `${change} ${prefix}_AUTO_POSITION=1`],
    });
  }
  const told = (slaveInfo ?? '')
    .split(';')
    .map((text) => text.replaceAll('"', "'").trim())
    .filter((text) => text !== '');
  if (told.length > 0 && told.every((text) => REPLICA_STATEMENT.test(text))) {
    const first = told.some((text) => /^SET GLOBAL gtid_purged/i.test(text)) ? [forgetting(server.version)] : [];
    starts.push({ purpose: 'a replica of the source that it had itself', statements: [...first, ...told] });
  }
  return starts;
}
