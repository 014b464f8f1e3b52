/** A web server on loopback that gives files by ranges, and does whatever else a test wants of it. */
import * as fs from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cleanup } from './temp.js';

/** What lies at every path of a server. */
export type Content = Buffer | { path: string };

export interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
}

/** Answers a request itself, and returns true; else it is answered as it should be. */
export type Interference = (request: IncomingMessage, response: ServerResponse, count: number) => boolean;

export interface WebServer {
  /** Without a slash at its end. */
  origin: string;
  /** All that was asked, in order. */
  asked: Asked[];
  /** Most requests that were answered at a time. */
  mostAtOnce: number;
  /** Bytes of bodies that were sent. */
  sentBytes: number;
}

/** A range of bytes that a request asks for: its first, and behind its last. */
export function rangeOf(request: IncomingMessage, size: number): [number, number] | undefined {
  const found = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  return found === null ? undefined : [Number(found[1]), Math.min(size, Number(found[2]) + 1)];
}

/**
 * Starts one.
 *
 * @param delayMs before each answer
 */
export async function serve(
  context: Cleanup,
  content: Content,
  { interfere = () => false, delayMs = 0 }: { interfere?: Interference; delayMs?: number } = {},
): Promise<WebServer> {
  const fd = Buffer.isBuffer(content) ? undefined : fs.openSync(content.path, 'r');
  const size = Buffer.isBuffer(content) ? content.length : fs.fstatSync(fd!).size;
  let atOnce = 0;
  const served: WebServer = { origin: '', asked: [], mostAtOnce: 0, sentBytes: 0 };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    atOnce -= 1;
    if (interfere(request, response, served.asked.length)) return;
    const range = rangeOf(request, size);
    response.setHeader('etag', '"1"');
    response.setHeader('accept-ranges', 'bytes');
    if (range !== undefined && range[0] >= size) {
      response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
      return;
    }
    const [start, end] = range ?? [0, size];
    const headers = { 'content-length': end - start };
    if (range === undefined) response.writeHead(200, headers);
    else response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${end - 1}/${size}` });
    served.sentBytes += end - start;
    if (Buffer.isBuffer(content)) response.end(content.subarray(start, end));
    else fs.createReadStream('', { fd: fd!, autoClose: false, start, end: end - 1 }).pipe(response);
  };
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    served.asked.push({ method, url, headers });
    atOnce += 1;
    served.mostAtOnce = Math.max(served.mostAtOnce, atOnce);
    if (delayMs === 0) answer(request, response);
    else setTimeout(() => answer(request, response), delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
    if (fd !== undefined) fs.closeSync(fd);
  });
  served.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return served;
}

/** The environment of a program that asks servers on loopback: no proxy is between. */
export const NO_PROXY = { NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
