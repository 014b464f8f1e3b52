/** Makes sockets to servers: right there, through TLS, or through a proxy's tunnel. */
import type { OnReadOpts, Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { NoTunnel, ProxyFailure, silence } from './failures.js';
import type { Proxy } from './proxies.js';

/** Where a connection goes. */
export interface Way {
  /** The server's scheme, host and port. */
  origin: URL;
  proxy: Proxy | undefined;
}

/** Whether a proxy is asked for what lies there, and not for a way. */
export function isAskedOfProxy({ origin, proxy }: Way): boolean {
  // That is how it was always done for `http:`; many proxies refuse tunnels for that.
  return proxy !== undefined && origin.protocol === 'http:';
}

/**
 * Connects. Bytes come as `onread` says, or where Node cannot do that (in a tunnel) by `data` events.
 *
 * @param timeoutMs so long it may take
 * @throws what Node's sockets do; NoTunnel, ProxyFailure
 */
export async function connectSocket(way: Way, onread: OnReadOpts, timeoutMs: number): Promise<Socket> {
  const { origin, proxy } = way;
  if (proxy === undefined) return connectTo(origin, onread, timeoutMs);
  const failed = (error: unknown): never => {
    throw error instanceof NoTunnel ? error : new ProxyFailure(error, proxy.url.host);
  };
  if (isAskedOfProxy(way)) return connectTo(proxy.url, onread, timeoutMs).catch(failed);
  const tunnel = await openTunnel(origin, proxy, timeoutMs).catch(failed);
  return connected(secured(origin, { socket: tunnel }), timeoutMs);
}

function connectTo(server: URL, onread: OnReadOpts, timeoutMs: number): Promise<Socket> {
  return connected(server.protocol === 'https:' ? secured(server, { onread }) : plain(server, onread), timeoutMs);
}

function plain(server: URL, onread: OnReadOpts): Socket {
  return process.getBuiltinModule('node:net').connect({ ...placeOf(server), onread });
}

function secured(server: URL, more: { socket: Socket } | { onread: OnReadOpts }): TLSSocket {
  const { isIP } = process.getBuiltinModule('node:net');
  const place = placeOf(server);
  // An address of numbers is no name of a server (RFC 6066).
  const servername = isIP(place.host) === 0 ? place.host : '';
  // Node documents `onread` here as well; its types do not know.
  const options: ConnectionOptions & { onread?: OnReadOpts } = {
    ...place,
    ...more,
    servername,
    ALPNProtocols: ['http/1.1'],
  };
  return process.getBuiltinModule('node:tls').connect(options);
}

function placeOf({ hostname, port, protocol }: URL): { host: string; port: number } {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}

/** Waits until a socket is ready. */
function connected(socket: Socket | TLSSocket, timeoutMs: number): Promise<Socket> {
  socket.setNoDelay(true);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(silence()), timeoutMs);
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.removeListener('error', fail).removeListener('close', close);
      resolve(socket);
    });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const close = (): void => fail(Object.assign(new Error('closed'), { code: 'CUT_SHORT' }));
    socket.once('error', fail).once('close', close);
  });
}

/** Asks a proxy for a way to a server. */
function openTunnel(origin: URL, proxy: Proxy, timeoutMs: number): Promise<Socket> {
  const { host, port } = placeOf(origin);
  const there = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { request } = process.getBuiltinModule(proxy.url.protocol === 'https:' ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const asked = request({
      ...placeOf(proxy.url),
      method: 'CONNECT',
      path: there,
      agent: false,
      headers: {
        host: there,
        ...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
      },
    });
    const timer = setTimeout(() => asked.destroy(silence()), timeoutMs);
    const stopTimer = (): void => clearTimeout(timer);
    asked.once('connect', ({ statusCode }, socket) => {
      stopTimer();
      if (statusCode !== undefined && statusCode >= 200 && statusCode < 300) resolve(socket);
      else {
        socket.destroy();
        reject(new NoTunnel(statusCode ?? 0));
      }
    });
    asked.once('response', ({ statusCode }) => {
      stopTimer();
      asked.destroy();
      reject(new NoTunnel(statusCode ?? 0));
    });
    asked.on('error', (error) => {
      stopTimer();
      reject(error);
    });
    asked.end();
  });
}
