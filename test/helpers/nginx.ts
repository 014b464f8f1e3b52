/** nginx on loopback, as a store of files. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tempDir, type Cleanup } from './temp.js';

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/**
 * Starts one that gives the files of a folder.
 *
 * @param settings further lines of its `server` block
 * @returns its origin, without a slash at the end
 */
export async function startNginx(context: Cleanup, folder: string, settings = ''): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    const origin = await tryPort(context, folder, settings, port);
    if (origin !== undefined) return origin;
    if (tries === 5) throw new Error('nginx does not start');
  }
}

/** @returns undefined where somebody else has taken the port meanwhile */
async function tryPort(context: Cleanup, folder: string, settings: string, port: number): Promise<string | undefined> {
  const own = tempDir(context);
  const configuration = join(own, 'nginx.conf');
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  fs.writeFileSync(
    configuration,
    `daemon off; master_process off; worker_processes 1; pid ${own}/pid; error_log stderr;
     events { worker_connections 512; }
     http {
       access_log off; sendfile on; keepalive_requests 1000000;
       ${places.map((place) => `${place}_temp_path ${own}/${place};`).join(' ')}
       server { listen 127.0.0.1:${port}; root ${folder}; ${settings} }
     }`,
  );
  const child = spawn('nginx', ['-c', configuration, '-p', own], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  context.after(() => void child.kill('SIGKILL'));
  while (child.exitCode === null) {
    if (await isListening(port)) return `http://127.0.0.1:${port}`;
    await sleep(10);
  }
  if (/in use/.test(said)) return undefined;
  throw new Error(`nginx: ${said}`);
}
