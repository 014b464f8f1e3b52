/** State transfers of Galera, with our program in the place of mbstream: a node joins another, in each mode of its script. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRAM } from '../helpers/cli.js';
import { giveToServer } from '../helpers/mariadb.js';
import type { Cases } from './case.js';

const PROVIDER = '/usr/lib/galera/libgalera_smm.so';

/** What stands in the script's group of options, `sst`, in each mode. */
const MODES: Readonly<Record<string, (folder: string) => readonly string[]>> = {
  plain: () => [],
  threads: () => ['backup-threads=4'],
  zstd: () => ["compressor='zstd -q'", "decompressor='zstd -dq'"],
  openssl: () => ['encrypt=1', 'encrypt-algo=aes-256-cbc', 'encrypt-key=0123456789abcdef'],
  TLS: (folder) => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-days', '2'];
    const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject];
    execFileSync('openssl', words, { stdio: 'ignore' });
    return ['encrypt=3', `tkey=${key}`, `tcert=${certificate}`];
  },
  qpress: () => ['compress=quicklz'],
};

const TABLES = `CREATE DATABASE drill; USE drill;
  CREATE TABLE inno (id INT PRIMARY KEY, t TEXT); INSERT INTO inno SELECT seq, MD5(seq) FROM seq_1_to_5000;
  CREATE TABLE myisam (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO myisam VALUES (1), (2);
  CREATE TABLE aria (id INT PRIMARY KEY) ENGINE=Aria; INSERT INTO aria VALUES (1), (2);
  CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4; INSERT INTO parts SELECT seq FROM seq_1_to_300;`;
const SUMS = 'CHECKSUM TABLE drill.inno, drill.myisam, drill.aria, drill.parts';

/** Ports that were free just now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** What a node is made of. */
interface NodeOptions {
  /** The group `sst` of its options. */
  sst: readonly string[];
  /** Where programs are that take the place of others. */
  base: string;
  /** The port of a node to join; none for the first. */
  cluster?: number;
}

class Node {
  readonly #folder: string;
  readonly #socket: string;
  readonly #log: string;
  #server: ChildProcess | undefined;

  private constructor(
    folder: string,
    /** Where others join it. */
    readonly port: number,
  ) {
    this.#folder = folder;
    this.#socket = join(folder, 's');
    this.#log = join(folder, 'error.log');
  }

  static async make(folder: string, { sst, base, cluster }: NodeOptions): Promise<Node> {
    fs.mkdirSync(join(folder, 'data'), { recursive: true });
    const [port, group, increments, transfer] = await freePorts(4);
    const node = new Node(folder, group!);
    const lines = [
      ...['[mysqld]', `datadir=${folder}/data`, `socket=${node.#socket}`, `log-error=${node.#log}`, `port=${port}`],
      ...['bind-address=127.0.0.1', 'user=mysql', 'innodb-log-file-size=8M', 'innodb-buffer-pool-size=32M'],
      // Its scripts look for programs below this first.
      ...[`basedir=${base}`, 'lc-messages-dir=/usr/share/mysql', 'character-sets-dir=/usr/share/mysql/charsets'],
      ...['plugin-dir=/usr/lib/mysql/plugin', 'binlog-format=ROW', 'innodb-autoinc-lock-mode=2'],
      ...['wsrep-on=ON', `wsrep-provider=${PROVIDER}`, 'wsrep-cluster-name=drill', 'wsrep-sst-method=mariabackup'],
      `wsrep-cluster-address=gcomm://${cluster === undefined ? '' : `127.0.0.1:${cluster}`}`,
      `wsrep-provider-options="gmcast.listen_addr=tcp://127.0.0.1:${group};ist.recv_addr=127.0.0.1:${increments};gcache.size=8M"`,
      ...['wsrep-sst-auth=root:', 'wsrep-node-address=127.0.0.1', `wsrep-sst-receive-address=127.0.0.1:${transfer}`],
      ...['[sst]', 'sst-log-archive=0', ...sst],
    ];
    fs.writeFileSync(join(folder, 'my.cnf'), `${lines.join('\n')}\n`);
    giveToServer(folder);
    return node;
  }

  install(): void {
    const words = [`--datadir=${this.#folder}/data`, '--user=mysql', '--auth-root-authentication-method=normal'];
    execFileSync('mariadb-install-db', ['--no-defaults', ...words, '--skip-test-db'], { stdio: 'ignore' });
  }

  /** Resolves when it has all that the others have. */
  async start(...words: readonly string[]): Promise<void> {
    const server = spawn('mariadbd', [`--defaults-file=${this.#folder}/my.cnf`, ...words], { stdio: 'ignore' });
    this.#server = server;
    for (;;) {
      if (server.exitCode !== null || server.signalCode !== null) {
        throw new Error(`the node has ended:\n${fs.readFileSync(this.#log, 'utf8').slice(-4000)}`);
      }
      try {
        if (this.sql("SHOW STATUS LIKE 'wsrep_local_state_comment'").includes('Synced')) return;
      } catch {
        // It does not answer yet.
      }
      await sleep(300);
    }
  }

  sql(statements: string): string {
    const words = ['--no-defaults', `--socket=${this.#socket}`, '--user=root', '--batch', '--skip-column-names'];
    return execFileSync('mariadb', words, { input: statements, stdio: ['pipe', 'pipe', 'pipe'] }).toString();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }
}

/** Programs that the script finds before all others; what is called of ours is noted. */
function programs(folder: string): { base: string; calls: () => string[] } {
  const base = join(folder, 'base');
  const noted = join(folder, 'calls');
  fs.mkdirSync(join(base, 'bin'), { recursive: true });
  fs.writeFileSync(noted, '');
  fs.chmodSync(noted, 0o666);
  const put = (name: string, line: string): void =>
    fs.writeFileSync(join(base, 'bin', name), `#!/bin/sh\necho "${name} $*" >> ${noted}\n${line}\n`, { mode: 0o755 });
  fs.symlinkSync(PROGRAM, join(folder, 'mbstream'));
  put('mbstream', `exec ${process.execPath} ${join(folder, 'mbstream')} "$@"`);
  // The script calls it as qpress -dT4 FILE DIRECTORY, for one file after the other.
  put('qpress', `exec ${process.execPath} ${PROGRAM} decode -q --keep "$2"`);
  return { base, calls: () => fs.readFileSync(noted, 'utf8').split('\n').filter(Boolean) };
}

export function galeraCases(folder: string): Cases {
  const nodes: Node[] = [];
  const stopAll = async (): Promise<void> => {
    // The one that has joined first.
    for (const node of nodes.splice(0).reverse()) await node.stop();
  };
  const transfer = async (mode: string): Promise<string> => {
    const place = join(folder, `galera-${mode}`);
    fs.mkdirSync(place, { mode: 0o755 });
    const { base, calls } = programs(place);
    const sst = MODES[mode]!(place);
    if (mode === 'TLS') for (const name of ['key.pem', 'cert.pem']) giveToServer(join(place, name));
    const donor = await Node.make(join(place, 'donor'), { sst, base });
    nodes.push(donor);
    donor.install();
    await donor.start('--wsrep-new-cluster');
    donor.sql(TABLES);
    const joiner = await Node.make(join(place, 'joiner'), { sst, base, cluster: donor.port });
    nodes.push(joiner);
    await joiner.start();
    assert.equal(joiner.sql(SUMS), donor.sql(SUMS));
    const ours = calls();
    for (const call of ['mbstream -x', 'mbstream -c', ...(mode === 'qpress' ? ['qpress'] : [])]) {
      assert.ok(
        ours.some((line) => line.startsWith(call)),
        `no ${call}: ${ours.join('\n')}`,
      );
    }
    return `checksums of 4 tables; ${ours.length} calls of ours`;
  };
  const cases = Object.keys(MODES).map((mode) => ({
    name: `a node joins by Galera's state transfer: ${mode}`,
    run: () => transfer(mode).finally(stopAll),
  }));
  return { cases, close: stopAll };
}
