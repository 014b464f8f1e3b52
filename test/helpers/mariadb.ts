/** A MariaDB server of a test's own: no network, its files in a directory of their own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { tempDir } from './temp.js';

/** The user that the server runs as. Debian's package makes it. */
const SERVER_USER = 'mysql';

/** Small enough that a data directory is made and backed up in seconds. */
const SETTINGS = [
  '--skip-networking',
  '--innodb-log-file-size=4M',
  '--innodb-buffer-pool-size=32M',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-use-native-aio=0',
];

export interface MariadbOptions {
  /** More words for `mariadbd`. */
  settings?: readonly string[];
  /** Those that decide what its files are like, also for {@link Mariadb.install}. */
  format?: readonly string[];
  /** A file of options that it reads. */
  optionFile?: string;
}

export class Mariadb {
  readonly dataDirectory: string;
  readonly socket: string;
  readonly errorLog: string;
  readonly #settings: readonly string[];
  readonly #format: readonly string[];
  readonly #defaults: string;
  #server: ChildProcess | undefined;

  /**
   * @param directory where socket and log go; the server's user may write into it
   * @param dataDirectory the data: made by {@link install}, or a backup that is prepared and belongs to the server's user
   */
  constructor(
    directory: string,
    dataDirectory = join(directory, 'data'),
    { settings = [], format = [], optionFile }: MariadbOptions = {},
  ) {
    giveToServer(directory);
    this.dataDirectory = dataDirectory;
    // A socket's path may have 107 bytes.
    this.socket = join(directory, 's');
    this.errorLog = join(directory, 'error.log');
    this.#settings = settings;
    this.#format = format;
    this.#defaults = optionFile === undefined ? '--no-defaults' : `--defaults-file=${optionFile}`;
  }

  /** Makes an empty data directory. */
  install(): void {
    if (this.#format.length > 0) makeDataDirectory(this.dataDirectory, this.#format);
    else execFileSync('cp', ['-a', usualDataDirectory(), this.dataDirectory]);
  }

  /** Resolves when the server answers. */
  async start(): Promise<void> {
    const words = [`--datadir=${this.dataDirectory}`, `--socket=${this.socket}`, `--log-error=${this.errorLog}`];
    const pid = join(this.dataDirectory, 'pid');
    const own = [`--pid-file=${pid}`, `--user=${SERVER_USER}`, ...this.#format, ...this.#settings];
    const server = spawn('mariadbd', [this.#defaults, ...SETTINGS, ...words, ...own], { stdio: 'ignore' });
    this.#server = server;
    for (;;) {
      if (server.exitCode !== null)
        throw new Error(`mariadbd has ended:\n${fs.readFileSync(this.errorLog, 'utf8').slice(-4000)}`);
      try {
        this.sql('SELECT 1');
        return;
      } catch {
        await setTimeout(100);
      }
    }
  }

  /** Runs statements. @returns what they print: a line a row, columns apart by tabs */
  sql(statements: string, database = ''): string {
    return execFileSync('mariadb', [...this.clientWords, '--batch', '--skip-column-names', database], {
      input: statements,
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 1 << 30,
    }).toString('utf8');
  }

  /** A client that runs beside the test, reading statements from its standard input. */
  client(): ChildProcess {
    return spawn('mariadb', [...this.clientWords, '--force'], { stdio: ['pipe', 'ignore', 'ignore'] });
  }

  /** Takes a backup as a stream. @param words more options of mariadb-backup @returns the archive */
  backup(words: readonly string[] = []): Buffer {
    const options = ['--no-defaults', '--backup', '--stream=xbstream', `--datadir=${this.dataDirectory}`];
    return execFileSync('mariadb-backup', [...options, `--socket=${this.socket}`, '--user=root', ...words], {
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 30,
    });
  }

  /** The checksum of each table of a database, by its name. */
  checksums(database: string): Record<string, string> {
    const tables = this.sql(`SHOW TABLES`, database).split('\n').filter(Boolean);
    const quoted = tables.map((table) => `\`${table.replaceAll('`', '``')}\``).join(', ');
    const lines = this.sql(`CHECKSUM TABLE ${quoted}`, database).split('\n').filter(Boolean);
    return Object.fromEntries(lines.map((line) => line.split('\t') as [string, string]));
  }

  /** Shuts the server down and waits for its end. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }

  /** What tells the client program where the server is. */
  get clientWords(): string[] {
    return ['--no-defaults', `--socket=${this.socket}`, '--user=root', '--default-character-set=utf8mb4'];
  }
}

function makeDataDirectory(directory: string, format: readonly string[]): void {
  const words = ['--no-defaults', `--datadir=${directory}`, `--user=${SERVER_USER}`, ...format];
  execFileSync('mariadb-install-db', [...words, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    stdio: 'ignore',
  });
}

let usual: string | undefined;

/** An empty data directory that is only copied: to make one takes as long as many a test. */
function usualDataDirectory(): string {
  if (usual !== undefined) return usual;
  const parent = tempDir({ after: (work) => process.on('exit', work) });
  giveToServer(parent);
  usual = join(parent, 'data');
  makeDataDirectory(usual, []);
  return usual;
}

/** Has a directory, with all that is in it, belong to the server's user, and be reached by it. */
export function giveToServer(directory: string): void {
  execFileSync('chown', ['-R', `${SERVER_USER}:${SERVER_USER}`, directory]);
  fs.chmodSync(directory, 0o755);
}
