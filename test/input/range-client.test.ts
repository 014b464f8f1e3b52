/** What lies at an address comes whole, or it is told why not: whatever a server does, within bounded time. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { XbstreamError } from '../../dist/errors.js';
import { readAddress } from '../../dist/input/address/address.js';
import { Foretelling } from '../../dist/input/address/foretelling.js';
import type { FoundObject } from '../../dist/input/address/fetch-protocol.js';
import { RangeClient } from '../../dist/input/address/range-client.js';
import { NO_PROXY, rangeOf, serve, type Interference } from '../helpers/web-server.js';

Object.assign(process.env, NO_PROXY);

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
const SECRET = 'user:pa55@';

interface Got {
  object: FoundObject | undefined;
  bytes: Buffer;
}

/** Reads all, in ranges of this length, one after the other. */
async function readAll(context: TestContext, address: string, timeoutMs = 5000, rangeBytes = 100_000): Promise<Got> {
  const client = await RangeClient.to(readAddress(address), { timeoutMs, firstWaitMs: 1 });
  context.after(() => client.close());
  const pieces: Buffer[] = [];
  let object: FoundObject | undefined;
  let at = 0;
  const take = (bytes: Buffer): void => {
    pieces.push(Buffer.from(bytes));
    at += bytes.length;
  };
  await client.open({ found: (found) => (object = found), take });
  while (object!.hasRanges && at < object!.sizeBytes!) {
    await client.read(at, Math.min(object!.sizeBytes!, at + rangeBytes), { take });
  }
  return { object, bytes: Buffer.concat(pieces) };
}

async function failureOf(context: TestContext, interfere: Interference, timeoutMs?: number): Promise<XbstreamError> {
  const { origin } = await serve(context, CONTENT, { interfere });
  const address = origin.replace('//', `//${SECRET}`) + '/a.xbs?X-Amz-Signature=5ec3e7';
  try {
    await readAll(context, address, timeoutMs);
  } catch (error) {
    assert.ok(error instanceof XbstreamError, String(error));
    assert.doesNotMatch([error.message, ...error.details, ...error.hints].join('\n'), /pa55|5ec3e7|user:p/);
    return error;
  }
  assert.fail('no error');
}

test('by ranges, over as many connections as are needed', async (context) => {
  const { origin, asked } = await serve(context, CONTENT);
  const { object, bytes } = await readAll(context, `${origin}/a.xbs`);
  assert.deepEqual(object, { sizeBytes: CONTENT.length, hasRanges: true });
  assert.ok(bytes.equals(CONTENT));
  assert.deepEqual(new Set(asked.slice(1).map(({ headers }) => headers['if-match'])), new Set(['"1"']));
});

test('nothing', async (context) => {
  const { origin } = await serve(context, Buffer.alloc(0));
  const { object, bytes } = await readAll(context, `${origin}/a.xbs`);
  assert.deepEqual([object, bytes.length], [{ sizeBytes: 0, hasRanges: true }, 0]);
});

test('a server without ranges gives all of it', async (context) => {
  const interfere: Interference = (_request, response) => {
    response.writeHead(200).end(CONTENT);
    return true;
  };
  const { origin, asked } = await serve(context, CONTENT, { interfere });
  const { object, bytes } = await readAll(context, `${origin}/a.xbs`);
  assert.equal(object?.hasRanges, false);
  assert.ok(bytes.equals(CONTENT));
  assert.equal(asked.length, 1);
});

describe('what passes is tried again', () => {
  const passing: Record<string, Interference> = {
    'a connection that is closed midway': (request, response, count) => {
      const [start, end] = rangeOf(request, CONTENT.length)!;
      if (count % 2 === 0) return false;
      response.writeHead(206, {
        'content-range': `bytes ${start}-${end - 1}/${CONTENT.length}`,
        'content-length': end - start,
        etag: '"1"',
      });
      response.write(CONTENT.subarray(start, start + 1000), () => response.destroy());
      return true;
    },
    'one that is closed at once': (request, _response, count) => {
      if (count % 3 === 0) request.socket.destroy();
      return count % 3 === 0;
    },
    'a server that has too much to do': (_request, response, count) => {
      if (count % 4 !== 0) response.writeHead([429, 500, 503][count % 3]!).end('<Code>SlowDown</Code>');
      return count % 4 !== 0;
    },
    'one that is silent': (_request, response, count) => {
      if (count === 2)
        response.writeHead(206, { 'content-range': `bytes 65536-165535/${CONTENT.length}` }).flushHeaders();
      return count === 2;
    },
    'one that gives less than it was asked for': (request, response) => {
      const [start, last] = rangeOf(request, CONTENT.length)!;
      const end = Math.min(last, start + 30_000);
      response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${CONTENT.length}`, etag: '"1"' });
      response.end(CONTENT.subarray(start, end));
      return true;
    },
  };
  for (const [name, interfere] of Object.entries(passing)) {
    test(name, async (context) => {
      const { origin } = await serve(context, CONTENT, { interfere });
      const { bytes } = await readAll(context, `${origin}/a.xbs`, name === 'one that is silent' ? 1000 : 5000);
      assert.ok(bytes.equals(CONTENT));
    });
  }
});

describe('what does not is told', () => {
  const later = (count: number): boolean => count > 1;
  const cases: Record<string, [code: string, said: RegExp, interfere: Interference]> = {
    'what lies there has changed: its tag': [
      'XB_CHANGED',
      /has changed while it was being read/,
      (request, response, count) => {
        const [start, end] = rangeOf(request, CONTENT.length)!;
        response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${CONTENT.length}`, etag: `"${count}"` });
        response.end(CONTENT.subarray(start, end));
        return true;
      },
    ],
    'its size': [
      'XB_CHANGED',
      /has changed/,
      (request, response, count) => {
        const [start, end] = rangeOf(request, CONTENT.length)!;
        const size = CONTENT.length + (later(count) ? 1 : 0);
        response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${size}` });
        response.end(CONTENT.subarray(start, end));
        return true;
      },
    ],
    'its time, where the server answers with all of it': [
      'XB_CHANGED',
      /has changed/,
      (request, response, count) => {
        const [start, end] = rangeOf(request, CONTENT.length)!;
        response.setHeader('last-modified', `Mon, 0${count} Jan 2026 00:00:00 GMT`);
        if (later(count)) response.writeHead(200).end(CONTENT);
        else {
          response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${CONTENT.length}` });
          response.end(CONTENT.subarray(start, end));
        }
        return true;
      },
    ],
    'a server that says so itself': [
      'XB_CHANGED',
      /has changed.*HTTP 412|has changed/,
      (_request, response, count) => {
        if (later(count)) response.writeHead(412).end();
        return later(count);
      },
    ],
    'it is gone': [
      'XB_IO',
      /is not there any more \(HTTP 404\)/,
      (_request, response, count) => {
        if (later(count)) response.writeHead(404).end();
        return later(count);
      },
    ],
    'other bytes than those asked for': [
      'XB_IO',
      /gives other bytes/,
      (request, response, count) => {
        if (!later(count)) return false;
        const [start, end] = rangeOf(request, CONTENT.length)!;
        response.writeHead(206, { 'content-range': `bytes ${start - 1}-${end - 2}/${CONTENT.length}`, etag: '"1"' });
        response.end(CONTENT.subarray(start - 1, end - 1));
        return true;
      },
    ],
    'more bytes than announced': [
      'XB_IO',
      /gives other bytes/,
      (request, response, count) => {
        if (!later(count)) return false;
        const [start, end] = rangeOf(request, CONTENT.length)!;
        response.writeHead(206, { 'content-range': `bytes ${start}-${end - 2}/${CONTENT.length}`, etag: '"1"' });
        response.end(CONTENT.subarray(start, end));
        return true;
      },
    ],
    'a connection that is closed again and again': [
      'XB_IO',
      /the connection was (?:closed|reset)/,
      (request, _response, count) => {
        if (later(count)) request.socket.destroy();
        return later(count);
      },
    ],
    'a server that has too much to do for ever': [
      'XB_IO',
      /cannot now \(HTTP 503, SlowDown\)/,
      (_request, response) => {
        response.writeHead(503).end('<Error><Code>SlowDown</Code><Message>user:pa55 5ec3e7</Message></Error>');
        return true;
      },
    ],
    'a way that leads on and on': [
      'XB_IO',
      /leads on from place to place/,
      (_request, response, count) => {
        response.writeHead(302, { location: `/${count}?token=5ec3e7` }).end();
        return true;
      },
    ],
    'who may not read it': [
      'XB_IO',
      /the server refuses it \(HTTP 403, AccessDenied\)/,
      (_request, response) => {
        response.writeHead(403).end('<Error><Code>AccessDenied</Code><StringToSign>5ec3e7</StringToSign></Error>');
        return true;
      },
    ],
    'a refusal without an end': [
      'XB_IO',
      /there is no http:.* \(HTTP 404, NoSuchKey\)/,
      (_request, response) => {
        response.writeHead(404).write('<Error><Code>NoSuchKey</Code>');
        const more = (): void => {
          while (response.write('x'.repeat(65_536)));
        };
        response.on('drain', more);
        more();
        return true;
      },
    ],
    'a wrong password': [
      'XB_IO',
      /the server refuses it \(HTTP 401\)/,
      (_request, response) => {
        response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
        return true;
      },
    ],
    'a connection without ranges that is cut': [
      'XB_IO',
      /closed/,
      (_request, response) => {
        response.writeHead(200, { 'content-length': CONTENT.length });
        response.write(CONTENT.subarray(0, 1000), () => response.destroy());
        return true;
      },
    ],
    'what has no length, and is reset where it could end': [
      'XB_IO',
      /reset|closed/,
      (request) => {
        const { socket } = request;
        const head = 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n';
        socket.write(Buffer.concat([Buffer.from(head), CONTENT.subarray(0, 1000)]), () => {
          setTimeout(() => socket.resetAndDestroy(), 50);
        });
        return true;
      },
    ],
    'what is cut after its size was not told, and is another when asked for again': [
      'XB_IO',
      /closed|reset/,
      (request, response, count) => {
        const range = rangeOf(request, CONTENT.length);
        if (range !== undefined) {
          response.writeHead(206, { 'content-range': `bytes ${range[0]}-${range[1] - 1}/*`, etag: '"1"' });
          response.end(CONTENT.subarray(...range));
        } else if (count === 2) {
          response.writeHead(200, { 'content-length': CONTENT.length, etag: '"1"' });
          response.write(CONTENT.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
        } else {
          response.writeHead(200, { 'content-length': 5, etag: '"2"' }).end('other');
        }
        return true;
      },
    ],
    'a server that never tells the size': [
      'XB_IO',
      /gives other bytes/,
      (_request, response) => {
        response.writeHead(206, { 'content-range': 'bytes 0-99/*' }).end(CONTENT.subarray(0, 100));
        return true;
      },
    ],
    'a first answer that is longer than what was asked for': [
      'XB_IO',
      /gives other bytes/,
      (_request, response) => {
        response
          .writeHead(206, { 'content-range': `bytes 0-199999/${CONTENT.length}` })
          .end(CONTENT.subarray(0, 200_000));
        return true;
      },
    ],
    'what is no HTTP': [
      'XB_IO',
      /no HTTP|closed/,
      (request) => {
        request.socket.end('220 mail.example.com ESMTP user:pa55 5ec3e7\r\n');
        return true;
      },
    ],
  };
  for (const [name, [code, said, interfere]] of Object.entries(cases)) {
    test(name, async (context) => {
      const error = await failureOf(context, interfere);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, said);
    });
  }

  test('a server that is silent within what has no length', async (context) => {
    const interfere: Interference = (request) => {
      request.socket.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), CONTENT.subarray(0, 1000)]));
      return true;
    };
    const error = await failureOf(context, interfere, 300);
    assert.deepEqual([error.code, /nothing has come/.test(error.message)], ['XB_IO', true], error.message);
  });

  test('a server that is silent', async (context) => {
    const error = await failureOf(context, (_request, _response, count) => count > 1, 300);
    assert.match(error.message, /nothing has come for 0.3 s/);
    assert.ok(error.details.includes('it was tried 3 times'));
  });
});

test('a redirection is followed, and its end asked again until it is outdated; a password goes to its own host only', async (context) => {
  const other = await serve(context, CONTENT, {
    interfere: (_request, response, count) => {
      if (count === 2) response.writeHead(403).end();
      return count === 2;
    },
  });
  const { origin, asked } = await serve(context, CONTENT, {
    interfere: (request, response) => {
      assert.equal(request.headers.authorization, `Basic ${Buffer.from('user:pa55').toString('base64')}`);
      response.writeHead(307, { location: `${other.origin}/b.xbs?signature=5ec3e7` }).end();
      return true;
    },
  });
  const { bytes } = await readAll(context, `${origin.replace('//', `//${SECRET}`)}/a.xbs`);
  assert.ok(bytes.equals(CONTENT));
  assert.equal(asked.length, 2);
  assert.ok(other.asked.every(({ headers }) => headers.authorization === undefined));
});

test('ranges that are under way when a place is outdated are all asked for again', async (context) => {
  let places = 0;
  const { origin } = await serve(context, CONTENT, {
    interfere: (request, response, count) => {
      if (request.url === '/a.xbs') {
        places += 1;
        response.writeHead(302, { location: `/place/${places}` }).end();
        return true;
      }
      const isOutdated = request.url === '/place/1' && count > 2;
      if (isOutdated) response.writeHead(403).end();
      return isOutdated;
    },
  });
  const client = await RangeClient.to(readAddress(`${origin}/a.xbs`), { timeoutMs: 5000, firstWaitMs: 1 });
  context.after(() => client.close());
  const got = Buffer.alloc(CONTENT.length);
  let at = 0;
  await client.open({ found: () => undefined, take: (bytes) => (at += bytes.copy(got, at)) });
  const reads = Array.from({ length: 8 }, (_, index) => {
    let to = at + index * 10_000;
    return client.read(to, to + 10_000, { take: (bytes) => (to += bytes.copy(got, to)) });
  });
  await Promise.all(reads);
  assert.ok(got.subarray(0, at + 80_000).equals(CONTENT.subarray(0, at + 80_000)));
  assert.ok(places > 1);
});

test('a redirection to what may not be read, or is not there, is told as that', async (context) => {
  for (const [status, message] of [
    [404, /there is no http:.* \(HTTP 404\)/],
    [403, /the server refuses it \(HTTP 403\)/],
  ] as const) {
    let asked = 0;
    const error = await failureOf(context, (request, response, count) => {
      asked = count;
      if (request.url?.startsWith('/a.xbs') === true) response.writeHead(302, { location: '/elsewhere' }).end();
      else response.writeHead(status).end();
      return true;
    });
    assert.match(error.message, message);
    assert.equal(asked, 2);
  }
});

test('where headers stand is foretold, also beyond the end of a file', () => {
  const foretelling = new Foretelling();
  const stride = 10 * 1024 * 1024 + 60;
  const foretold = new Set<number>();
  let at = 0;
  let misses = 0;
  for (let chunk = 0; chunk < 400; chunk += 1) {
    // Every hundredth chunk is the last of its file; headers differ by the length of their paths.
    at += chunk % 100 === 99 ? 1_000_000 : stride + (chunk % 7);
    const isKnown = [...foretold].some((place) => Math.abs(place - at) < 1000);
    if (!isKnown) misses += 1;
    for (const place of foretelling.hop(at, isKnown)) foretold.add(place);
  }
  assert.ok(misses <= 8, `${misses} misses`);
  assert.ok(foretold.size < 900, `${foretold.size} foretold`);
});
