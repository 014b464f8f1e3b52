import type { BackupDescription } from '../ui/reporter.js';

/** What of a backup decides what is to be done with it. */
export type BackupFacts = Pick<
  BackupDescription,
  'tool' | 'toolVersion' | 'serverVersion' | 'kind' | 'backupType' | 'fromLsn' | 'compression' | 'encrypted'
> & {
  /** The archive as a shell takes it. */
  archive: string;
};

export interface Step {
  purpose: string;
  command: string;
}

/** Whether a backup was made by MariaDB's tool. */
function isMariadb({ tool, toolVersion, serverVersion }: BackupFacts): boolean {
  return [tool, toolVersion, serverVersion].some((text) => /maria/i.test(text ?? ''));
}

/** What to do next with a backup, in order. */
export function nextSteps(facts: BackupFacts): Step[] {
  const incremental = facts.kind === 'incremental';
  const directory = incremental ? 'INCREMENTAL' : 'DIR';
  const steps = [unpack(facts, directory)];
  if (facts.backupType === 'full-prepared') return [...steps, copyBack(facts)];
  if (!incremental) return [...steps, ...prepareFull(facts), copyBack(facts)];
  return [...steps, ...prepareIncremental(facts), copyBack(facts)];
}

function unpack({ archive, encrypted, compression }: BackupFacts, directory: string): Step {
  const options = [
    ...(encrypted ? ['--encrypt-key-file=KEYFILE'] : []),
    ...(compression.length > 0 ? ['--decompress'] : []),
  ];
  const doing = ['unpack', ...(encrypted ? ['decrypt'] : []), ...(compression.length > 0 ? ['decompress'] : [])];
  return {
    purpose: doing.join(', '),
    command: ['tsxbstream extract', archive, `-C ${directory}`, ...options].join(' '),
  };
}

function tool(facts: BackupFacts): { name: string; advice: string } {
  if (isMariadb(facts)) {
    const version = /\d+\.\d+/.exec(facts.toolVersion ?? facts.serverVersion ?? '')?.[0];
    return { name: 'mariadb-backup', advice: version === undefined ? 'mariadb-backup' : `mariadb-backup ${version}` };
  }
  const version = facts.toolVersion;
  return {
    name: 'xtrabackup',
    advice: version === undefined ? 'xtrabackup' : `xtrabackup ${version} or newer of its series`,
  };
}

function prepareFull(facts: BackupFacts): Step[] {
  const { name, advice } = tool(facts);
  return [{ purpose: `prepare, with ${advice}`, command: `${name} --prepare --target-dir=DIR` }];
}

function prepareIncremental(facts: BackupFacts): Step[] {
  const { name, advice } = tool(facts);
  const base = facts.fromLsn === undefined ? '' : ` (the backup before it ends at LSN ${facts.fromLsn})`;
  // MariaDB's tool has no --apply-log-only any more: every prepare can be followed by another.
  const hold = isMariadb(facts) ? '' : ' --apply-log-only';
  return [
    {
      purpose: `prepare the full backup in DIR first${base}, with ${advice}`,
      command: `${name} --prepare${hold} --target-dir=DIR`,
    },
    {
      purpose: `add this one${hold === '' ? '' : ' (with --apply-log-only, if another follows)'}`,
      command: `${name} --prepare --target-dir=DIR --incremental-dir=INCREMENTAL`,
    },
  ];
}

function copyBack(facts: BackupFacts): Step {
  return {
    purpose: 'put it in place, on a stopped server with an empty data directory',
    command: `${tool(facts).name} --copy-back --target-dir=DIR`,
  };
}
