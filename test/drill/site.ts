/** A server to take backups of, those backups, and what must come of each. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { backupDuring } from '../helpers/ddl-backup.js';
import { giveToServer, Mariadb } from '../helpers/mariadb.js';
import { doStep, infoOf, type Info } from '../helpers/recipe.js';
import { change, changesMeanwhile, contentOf, makeTables } from './data.js';
import type { Way } from './ways.js';

/** A backup, or one and its increments. */
export interface Taken {
  /** The full one first. */
  archives: readonly string[];
  /** What was in the server when it was taken. */
  content: Record<string, string>;
  isCompressed: boolean;
}

/** How many rows tables have. */
const ROWS = 2000;

export class Site {
  readonly folder: string;
  readonly #elsewhere: string;
  readonly #settings: readonly string[];
  readonly #source: Mariadb;
  readonly #servers: Mariadb[] = [];
  #state: 'new' | 'up' | 'down' = 'new';
  #number = 0;
  #turns = 0;

  /** @param folder an empty directory that the server's user may enter */
  constructor(folder: string) {
    fs.chmodSync(folder, 0o755);
    this.folder = folder;
    this.#elsewhere = this.#directory('elsewhere');
    const keys = join(folder, 'keys');
    fs.writeFileSync(keys, `1;${'a7'.repeat(32)}\n2;${'5c'.repeat(32)}\n`);
    this.#settings = ['--plugin-load-add=file_key_management', `--file-key-management-filename=${keys}`];
    this.#source = this.#server();
  }

  /** The server that backups are taken of. It runs, and has tables. */
  async serve(): Promise<Mariadb> {
    const isNew = this.#state === 'new';
    if (isNew) {
      giveToServer(this.#elsewhere);
      this.#source.install();
    }
    if (this.#state !== 'up') await this.#source.start();
    this.#state = 'up';
    if (isNew) makeTables(this.#source, this.#elsewhere, ROWS);
    return this.#source;
  }

  async #rest(): Promise<void> {
    if (this.#state !== 'up') return;
    this.#state = 'down';
    await this.#source.stop();
  }

  /** Another server, with nothing in it. Who asks for it ends it. */
  async young(): Promise<Mariadb> {
    const server = this.#server();
    server.install();
    await server.start();
    return server;
  }

  /** All servers end. */
  async close(): Promise<void> {
    for (const server of this.#servers) await server.stop();
  }

  /** A path at which nothing is. */
  fresh(name: string): string {
    this.#number += 1;
    return join(this.folder, `${this.#number}-${name}`);
  }

  #directory(name: string): string {
    const path = this.fresh(name);
    fs.mkdirSync(path, { mode: 0o755 });
    return path;
  }

  #server(data?: string): Mariadb {
    const server = new Mariadb(this.#directory('server'), data, { settings: this.#settings });
    this.#servers.push(server);
    return server;
  }

  /** The source must serve. @param words options of mariadb-backup */
  take(...words: readonly string[]): Taken {
    const archive = this.#stored(this.#source.backup(this.#words(words)));
    return { archives: [archive], content: contentOf(this.#source), isCompressed: words.includes('--compress') };
  }

  /** Backups that follow one another, with changes between them. */
  async takeChain(increments: number, ...words: readonly string[]): Promise<Taken> {
    const archives = [...this.take(...words).archives];
    for (let made = 0; made < increments; made += 1) {
      // Only a restart is certain to move the checkpoint.
      await this.#rest();
      await this.serve();
      change(this.#source, (this.#turns += 1));
      const { toLsn } = await infoOf(archives.at(-1)!);
      archives.push(...this.take(`--incremental-lsn=${toLsn}`, ...words).archives);
    }
    return { archives, content: contentOf(this.#source), isCompressed: words.includes('--compress') };
  }

  /** Tables are made, filled, renamed, altered and dropped while it is taken. */
  async takeDuringChanges(): Promise<Taken> {
    const archive = this.#stored(await backupDuring(this.#source, changesMeanwhile(this.#source), this.#words([])));
    return { archives: [archive], content: contentOf(this.#source), isCompressed: false };
  }

  /** The backup program is killed when so much of the stream has come. @returns what there is of it */
  async takeHalf(whole: Taken, share: number): Promise<string> {
    const source = await this.serve();
    const most = share * fs.statSync(whole.archives[0]!).size;
    const options = ['--no-defaults', '--backup', '--stream=xbstream', `--datadir=${source.dataDirectory}`];
    const where = [`--socket=${source.socket}`, '--user=root', ...this.#words([])];
    const program = spawn('mariadb-backup', [...options, ...where], { stdio: ['ignore', 'pipe', 'ignore'] });
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of program.stdout as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > most) program.kill('SIGKILL');
    }
    return this.#stored(Buffer.concat(pieces));
  }

  #words(words: readonly string[]): string[] {
    return [`--target-dir=${this.#directory('work')}`, ...words];
  }

  #stored(bytes: Buffer): string {
    const path = this.fresh('backup.xbstream');
    fs.writeFileSync(path, bytes);
    return path;
  }

  /** Unpacks a backup in one way, does with it what `info` says, and holds what comes of it against what was there. */
  async restore({ archives, content, isCompressed }: Taken, way: Way): Promise<string> {
    await this.#rest();
    // The other machine has no such directory, and its server makes one of its own.
    const aside = `${this.#elsewhere}.source`;
    fs.renameSync(this.#elsewhere, aside);
    const used: string[] = [];
    try {
      const infos = await Promise.all(archives.map((archive) => infoOf(archive)));
      for (const [at, archive] of archives.entries()) {
        const target = this.fresh('unpacked');
        used.push(target);
        const { code, stderr } = await way.unpack(archive, target, isCompressed);
        assert.deepEqual([code, infos[at]!.missing], [0, []], stderr);
      }
      const data = this.fresh('data');
      assert.deepEqual(await this.#contentOfRestored(infos, [...used], data), content);
      used.push(data);
    } finally {
      for (const path of [...used, this.#elsewhere]) fs.rmSync(path, { recursive: true, force: true });
      fs.renameSync(aside, this.#elsewhere);
    }
    return `${Object.keys(content).length} checksums, counts and names`;
  }

  async #contentOfRestored(
    infos: readonly Info[],
    [dir, ...increments]: readonly string[],
    data: string,
  ): Promise<Record<string, string>> {
    const { next, elsewhere } = infos.at(-1)!;
    const values = {
      DIR: dir!,
      BETWEEN: increments.slice(0, -1),
      INCREMENTAL: increments.at(-1) ?? '',
      DATADIR: data,
      ELSEWHERE: elsewhere,
    };
    // The first step, to unpack it, was done in one of several ways.
    for (const step of next.slice(1)) doStep(step, values);
    const server = this.#server(data);
    await server.start();
    try {
      return contentOf(server);
    } finally {
      await server.stop();
    }
  }
}
