/** Backups that are taken while tables change. */
import { spawn } from 'node:child_process';
import type { Mariadb } from './mariadb.js';

/** What is done when the stream has come to a file. */
export interface Interlude {
  /** The stored name of the file, or how it begins. */
  at: string;
  /** mariadb-backup waits meanwhile: nobody reads what it writes. */
  statements: string;
}

/** Takes a backup as a stream, and runs statements at certain places of it. @returns the archive */
export async function backupDuring(
  server: Mariadb,
  interludes: readonly Interlude[],
  words: readonly string[] = [],
): Promise<Buffer> {
  const options = ['--no-defaults', '--backup', '--stream=xbstream', `--datadir=${server.dataDirectory}`];
  const program = spawn('mariadb-backup', [...options, `--socket=${server.socket}`, '--user=root', ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<number | null>((resolve) => program.once('exit', resolve));
  const pieces: Buffer[] = [];
  const left = [...interludes];
  let tail = '';
  for await (const piece of program.stdout as AsyncIterable<Buffer>) {
    pieces.push(piece);
    const text = tail + piece.toString('latin1');
    while (left[0] !== undefined && text.includes(left[0].at)) server.sql(left.shift()!.statements);
    tail = text.slice(-512);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`mariadb-backup has ended with code ${code}`);
  if (left[0] !== undefined) throw new Error(`the stream has no ${left[0].at}`);
  return Buffer.concat(pieces);
}
