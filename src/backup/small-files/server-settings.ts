/** The settings of the backed-up server that `backup-my.cnf` names, and without which no server starts on its files. */

/** What a server has that nobody told anything. */
const DEFAULTS: Readonly<Record<string, string>> = {
  innodb_data_file_path: 'ibdata1:12M:autoextend',
  innodb_page_size: '16384',
  innodb_undo_tablespaces: '0',
};

/**
 * Those that are not what a server has by itself, as `name=value`.
 *
 * @param config the values of `backup-my.cnf`
 * @param system of which server it is, and its version
 */
export function serverSettings(
  config: ReadonlyMap<string, string>,
  { system, version }: { system: 'MariaDB' | 'MySQL' | undefined; version: string | undefined },
): string[] {
  const major = Number(/^\d+/.exec(version ?? '')?.[0] ?? 0);
  const undo = system === 'MariaDB' ? (major >= 11 ? '3' : '0') : major >= 8 ? '2' : '0';
  const defaults = { ...DEFAULTS, innodb_undo_tablespaces: undo };
  return Object.entries(defaults).flatMap(([name, usual]) => {
    const value = config.get(name);
    return value === undefined || value === '' || value === usual ? [] : [`${name}=${value}`];
  });
}
