import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pipe {
  readFd: number;
  writeFd: number;
}

/**
 * A pipe of the system. (What `stdio: 'pipe'` gives a child process is a socket.)
 *
 * @param nonBlocking the reading end is set to return at once
 */
export function openPipe(nonBlocking = false): Pipe {
  const directory = fs.mkdtempSync(join(tmpdir(), 'tsxbstream-pipe-'));
  const path = join(directory, 'pipe');
  try {
    execFileSync('mkfifo', [path]);
    const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;
    // Opened for both first: to open only one end waits for the other.
    const both = fs.openSync(path, O_RDWR);
    const readFd = fs.openSync(path, O_RDONLY | (nonBlocking ? O_NONBLOCK : 0));
    const writeFd = fs.openSync(path, O_WRONLY);
    fs.closeSync(both);
    return { readFd, writeFd };
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/** Writes all of `bytes` and closes the descriptor; that the reader goes away early is no matter. */
export async function feed(writeFd: number, bytes: Buffer): Promise<void> {
  const stream = fs.createWriteStream('', { fd: writeFd });
  await new Promise<void>((resolve) => {
    stream.on('error', () => resolve());
    stream.end(bytes, () => resolve());
  });
}

/** Two ends of a TCP connection. */
export async function openTcp(): Promise<{ near: net.Socket; far: net.Socket; close: () => void }> {
  const server = net.createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  const near = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  near.on('error', () => undefined);
  const far = await accepted;
  const close = (): void => {
    near.destroy();
    far.destroy();
    server.close();
  };
  return { near, far, close };
}
