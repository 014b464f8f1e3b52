/** Responses as servers write them, however their bytes are cut; connections that are kept; proxies, and TLS through them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { rootCertificates } from 'node:tls';
import { Connections } from '../../dist/input/address/http/connections.js';
import { NoHttp } from '../../dist/input/address/http/failures.js';
import { Proxies } from '../../dist/input/address/http/proxies.js';
import { ResponseParser } from '../../dist/input/address/http/response-parser.js';
import { run } from '../helpers/cli.js';
import { archive, file } from '../helpers/archive-bytes.js';
import { hasProgram } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { rangeOf } from '../helpers/web-server.js';

const FLOW = { pause: () => undefined, resume: () => undefined };

interface Parsed {
  status: number;
  body: string;
  isDone: boolean;
  persists: boolean;
}

/** What is understood of a response that comes in pieces of so many bytes. */
function parsed(text: string, pieceBytes: number): Parsed {
  let status = 0;
  let body = '';
  const take = (bytes: Buffer): void => void (body += bytes.toString('latin1'));
  const parser = new ResponseParser((head) => {
    status = head.status;
    return { take };
  }, FLOW);
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceBytes) parser.push(bytes.subarray(at, at + pieceBytes));
  const { isDone, persists } = parser;
  return { status, body, isDone: isDone || parser.end(), persists };
}

describe('a response', () => {
  const good: Record<string, [text: string, expected: Parsed]> = {
    'with a length': [
      'HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nETag: "1"\r\n\r\nhello',
      { status: 206, body: 'hello', isDone: true, persists: true },
    ],
    'of nothing': [
      'HTTP/1.1 200\r\nContent-length:\t0 \r\n\r\n',
      { status: 200, body: '', isDone: true, persists: true },
    ],
    'in chunks, with trailers': [
      'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;a="b"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nx: y\r\n\r\n',
      { status: 200, body: 'abc0123456789', isDone: true, persists: true },
    ],
    'behind others that announce it': [
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab',
      { status: 200, body: 'ab', isDone: true, persists: true },
    ],
    'up to the end of the connection': [
      'HTTP/1.1 200 OK\r\n\r\nall that comes',
      { status: 200, body: 'all that comes', isDone: true, persists: false },
    ],
    'of an old server': [
      'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nab',
      { status: 200, body: 'ab', isDone: true, persists: false },
    ],
    'that closes': [
      'HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 2\r\n\r\nab',
      { status: 200, body: 'ab', isDone: true, persists: false },
    ],
    'with more behind it than was asked for': [
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n',
      { status: 200, body: 'ab', isDone: true, persists: false },
    ],
    'that is cut short': [
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab',
      { status: 200, body: 'ab', isDone: false, persists: true },
    ],
    'in chunks, cut short': [
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n',
      { status: 200, body: 'ab', isDone: false, persists: true },
    ],
  };
  for (const [name, [text, expected]] of Object.entries(good)) {
    test(name, () => {
      for (const pieceBytes of [text.length, 1, 7]) {
        const found = parsed(text, pieceBytes);
        // What comes behind the end in a piece of its own finds nobody.
        assert.deepEqual({ ...found, persists: pieceBytes === 1 ? expected.persists : found.persists }, expected);
      }
    });
  }

  test('in chunks of a byte is given in as few pieces as it came in', () => {
    const chunks = `${'1\r\nx\r\n'.repeat(5000)}3\r\nyyy\r\n0\r\n\r\n`;
    const text = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`;
    for (const pieceBytes of [text.length, 997]) {
      const pieces: Buffer[] = [];
      const parser = new ResponseParser(() => ({ take: (bytes) => pieces.push(Buffer.from(bytes)) }), FLOW);
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += pieceBytes) parser.push(bytes.subarray(at, at + pieceBytes));
      assert.equal(Buffer.concat(pieces).toString(), `${'x'.repeat(5000)}yyy`);
      assert.ok(pieces.length <= Math.ceil(text.length / pieceBytes), `${pieces.length}`);
      assert.ok(parser.isDone);
    }
  });

  const bad: Record<string, string> = {
    'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
    'a version to come': 'HTTP/2 200 OK\r\n\r\n',
    'no status': 'HTTP/1.1 OK\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc',
    'a length of nothing at all': 'HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\nab',
    'a length that is none': 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
    'a length beside chunks': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n',
    'an encoding that nobody asked for': 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n',
    'a field that goes on in the next line': 'HTTP/1.1 200 OK\r\netag: "1"\r\n more\r\n\r\n',
    'a name with a space': 'HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nab',
    'a control character': 'HTTP/1.1 200 OK\r\netag: a\x01b\r\n\r\n',
    'a control character behind a head full of spaces': `HTTP/1.1 200 OK\r\netag:${' '.repeat(65_000)}\x01\r\n\r\n`,
    'lines that end in another way': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\nab\n0\n\n',
    'a chunk that is longer than it says': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n',
    'a chunk without a length': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\nab\r\n0\r\n\r\n',
    'a chunk of an impossible length': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'f'.repeat(16)}\r\n`,
    'a head without an end': `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`,
    'announcements without an end': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(10_000),
  };
  for (const [name, text] of Object.entries(bad)) {
    test(`that is none: ${name}`, () => {
      for (const pieceBytes of [text.length, 7]) assert.throws(() => parsed(text, pieceBytes), NoHttp);
    });
  }

  test('is received right where there is room for it, and not a byte beyond its end', () => {
    const memory = Buffer.alloc(100);
    const parser = new ResponseParser(() => ({ take: () => undefined, room: () => memory }), FLOW);
    assert.equal(parser.room(), undefined);
    parser.push(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n'));
    assert.equal(parser.room()?.length, 60);
    parser.push(memory.subarray(0, 50));
    assert.equal(parser.room()?.length, 10);
    parser.push(memory.subarray(0, 10));
    assert.deepEqual([parser.isDone, parser.room()], [true, undefined]);
  });
});

test('which proxy: small letters first, and none for exceptions', () => {
  const proxies = new Proxies({
    http_proxy: 'http://user:pa%20ss@one:3128',
    HTTP_PROXY: 'http://no:1',
    no_proxy: 'local, .example.com  *.example.org,other:8443,::1 [::2]:81',
  });
  const hostOf = (address: string): string | undefined => proxies.proxyFor(new URL(address))?.url.host;
  assert.equal(hostOf('http://a.b/'), 'one:3128');
  assert.equal(hostOf('https://a.b/'), 'one:3128');
  const authorization = `Basic ${Buffer.from('user:pa ss').toString('base64')}`;
  assert.equal(proxies.proxyFor(new URL('http://a.b'))?.authorization, authorization);
  for (const address of [
    'http://local/',
    'https://x.EXAMPLE.com/',
    'http://example.org/',
    'http://[::1]:80/',
    'http://[::2]:81',
  ]) {
    assert.equal(hostOf(address), undefined, address);
  }
  assert.equal(hostOf('https://other:8443/'), undefined);
  assert.equal(hostOf('https://other/'), 'one:3128');
  assert.equal(hostOf('http://notexample.com/'), 'one:3128');
  assert.equal(new Proxies({ https_proxy: 'http://two:1', no_proxy: '*' }).proxyFor(new URL('https://a/')), undefined);
  assert.throws(() => new Proxies({ http_proxy: 'socks5://secret@x:1' }), /is no address of a proxy$/);
});

async function listening(context: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** Gives an archive by ranges. */
function giving(content: Buffer): RequestListener {
  return (request, response) => {
    const [start, end] = rangeOf(request, content.length)!;
    const range = `bytes ${start}-${end - 1}/${content.length}`;
    response.writeHead(206, { 'content-range': range, etag: '"1"' }).end(content.subarray(start, end));
  };
}

test('a proxy that is not there is told as such', async () => {
  for (const scheme of ['http', 'https']) {
    const env = { [`${scheme}_proxy`]: 'http://someb0dy:pa55w0rd@127.0.0.1:9' };
    const request = { url: new URL(`${scheme}://server.example/`), headers: {} };
    const asked = new Connections(1000, env).exchange(request, () => ({ take: () => undefined }), undefined);
    await assert.rejects(asked, { message: 'nobody listens there (the proxy 127.0.0.1:9)' });
  }
});

/** A proxy that opens tunnels, and asks for what is asked of it with a whole address. */
async function startProxy(context: TestContext, asked: IncomingMessage[]): Promise<number> {
  const proxy = createHttp((request, response) => {
    asked.push(request);
    const { host, port } = new URL(request.url!);
    response.writeHead(200, { connection: 'close' });
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(`GET / HTTP/1.0\r\nhost: ${host}\r\n\r\n`));
    response.end('through the proxy');
    socket.destroy();
  });
  proxy.on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push(request);
    const isAllowed = request.headers['proxy-authorization'] !== undefined;
    if (!isAllowed) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    const server = connect(Number(request.url!.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(server).pipe(client);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
    }
  });
  return listening(context, proxy);
}

test('TLS: right there, and through the tunnel of a proxy; who is not known is refused', async (context) => {
  if (!hasProgram(context, 'openssl', 'openssl')) return;
  const folder = tempDir(context);
  const [keyFile, certificateFile] = [join(folder, 'key'), join(folder, 'certificate')];
  const words = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${keyFile} -out ${certificateFile}`;
  execFileSync('openssl', words.split(' '), { stdio: 'ignore' });
  const content = archive(file('hello', Buffer.alloc(3_000_000, 'hello ')));
  const secrets = { key: fs.readFileSync(keyFile), cert: fs.readFileSync(certificateFile) };
  const port = await listening(context, createHttps(secrets, giving(content)));
  const asked: IncomingMessage[] = [];
  const proxyPort = await startProxy(context, asked);
  const address = `https://127.0.0.1:${port}/a.xbs`;
  const trust = { NODE_EXTRA_CA_CERTS: certificateFile, no_proxy: '', NO_PROXY: '' };
  const cat = (env: NodeJS.ProcessEnv): ReturnType<typeof run> => run(['cat', address, 'hello'], { env });

  const [plain, tunneled, refused, unknown] = await Promise.all([
    cat(trust),
    cat({ ...trust, https_proxy: `http://user:pa55@127.0.0.1:${proxyPort}` }),
    cat({ ...trust, https_proxy: `http://127.0.0.1:${proxyPort}` }),
    cat({ no_proxy: '*', NODE_EXTRA_CA_CERTS: '' }),
  ]);
  for (const { code, stdout, stderr } of [plain, tunneled]) {
    assert.deepEqual([code, stdout.length, stderr], [0, 3_000_000, '']);
  }
  assert.ok(asked.every(({ method, url }) => method === 'CONNECT' && url === `127.0.0.1:${port}`));
  assert.match(refused.stderr, /the proxy refuses the way to 127\.0\.0\.1:\d+ \(HTTP 407\)/);
  assert.match(unknown.stderr, /there is no trusted connection to 127\.0\.0\.1:\d+/);
  assert.doesNotMatch(tunneled.stderr + refused.stderr, /pa55/);
  assert.ok(rootCertificates.length > 0);
});

describe('connections', () => {
  const get = async (connections: Connections, url: string, signal?: AbortSignal): Promise<string> => {
    let body = '';
    const take = (bytes: Buffer): void => void (body += bytes.toString());
    await connections.exchange({ url: new URL(url), headers: {} }, () => ({ take }), signal);
    return body;
  };

  test('a proxy is asked for `http:` by the whole address', async (context) => {
    const asked: IncomingMessage[] = [];
    const port = await startProxy(context, asked);
    const connections = new Connections(5000, { http_proxy: `http://user:pa55@127.0.0.1:${port}` });
    context.after(() => connections.close());
    assert.equal(await get(connections, 'http://127.0.0.1:9/x?y'), 'through the proxy');
    assert.equal(asked[0]?.url, 'http://127.0.0.1:9/x?y');
    assert.match(asked[0].headers['proxy-authorization'] ?? '', /^Basic /);
  });

  test('one is used again; one that the server has ended meanwhile is made anew', async (context) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', () => {
        // The second request on a connection finds it ended.
        if (socket.bytesWritten > 0 && sockets.length === 1) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab');
      });
    });
    const port = await listening(context, server);
    const connections = new Connections(5000, {});
    context.after(() => connections.close());
    const url = `http://127.0.0.1:${port}/`;
    assert.equal(await get(connections, url), 'ab');
    assert.equal(await get(connections, url), 'ab');
    assert.equal(sockets.length, 2);
    assert.equal(await get(connections, url), 'ab');
    assert.equal(sockets.length, 2);
  });

  test('no more than so many at a time; who goes away leaves its turn to the next', async (context) => {
    let atOnce = 0;
    let most = 0;
    const held: Socket[] = [];
    const answer = (socket: Socket): void => {
      atOnce -= 1;
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab');
    };
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        if (most < 96) held.push(socket);
        else {
          for (const other of held.splice(0)) answer(other);
          answer(socket);
        }
      });
    });
    const port = await listening(context, server);
    const connections = new Connections(20_000, {});
    context.after(() => connections.close());
    const url = `http://127.0.0.1:${port}/`;
    const leaving = new AbortController();
    const staying = Array.from({ length: 95 }, () => get(connections, url));
    const behind = Array.from({ length: 20 }, () => get(connections, url, leaving.signal));
    const last = [get(connections, url), get(connections, url)];
    leaving.abort(new Error('gone'));
    assert.ok((await Promise.allSettled(behind)).every(({ status }) => status === 'rejected'));
    assert.deepEqual(new Set(await Promise.all([...staying, ...last])), new Set(['ab']));
    assert.ok(most <= 96, `${most} at a time`);
  });
});
