/** Most lines that are looked at: such a file has some twenty. */
const MAX_LINES = 1000;

/** The `key = value` lines of `xtrabackup_info`, `xtrabackup_checkpoints` and MariaDB's files of that kind. */
export function parseKeyValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n', MAX_LINES)) {
    const found = /^\s*([A-Za-z_][\w-]*)\s*=/.exec(line);
    // The first one counts: a command line may go on with something that looks like one.
    if (found !== null && !values.has(found[1]!)) values.set(found[1]!, line.slice(found[0].length).trim());
  }
  return values;
}
