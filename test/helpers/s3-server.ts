/** A server on loopback that speaks S3; and the rules by which its requests are signed. */
import { createHash, createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { tempDir, type Cleanup } from './temp.js';

/** The credentials that it knows. */
export const S3_KEYS = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' } as const;

interface S3Server {
  run(): Promise<{ address: string; port: number }>;
  close(): Promise<void>;
}

// It has no types.
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => S3Server;

/** Starts one. @returns its endpoint, without a slash at the end */
export async function startS3(context: Cleanup, bucket: string): Promise<string> {
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory: tempDir(context) },
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  context.after(() => void server.close().catch(() => undefined));
  return `http://127.0.0.1:${port}`;
}

/** Puts an object there, by a request that is signed here: what is read later was signed by other code. */
export async function putObject(endpoint: string, bucket: string, key: string, body: Buffer): Promise<void> {
  const { host } = new URL(endpoint);
  const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const sum = createHash('sha256').update(body).digest('hex');
  const headers = { host, 'x-amz-content-sha256': sum, 'x-amz-date': time };
  const names = Object.keys(headers);
  const signature = s3Signature({ method: 'PUT', path, headers, names, scope });
  const authorization = `AWS4-HMAC-SHA256 Credential=${S3_KEYS.AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const response = await fetch(endpoint + path, {
    method: 'PUT',
    headers: { authorization, 'x-amz-date': time, 'x-amz-content-sha256': sum },
    body: new Uint8Array(body),
  });
  if (!response.ok) throw new Error(`the S3 server: ${response.status} ${await response.text()}`);
}

/** A request that is signed. */
export interface SignedRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Of the headers that are signed, in order. */
  names: readonly string[];
  scope: string;
}

/** The signature that a request must have, by the published rules (Signature Version 4). */
export function s3Signature({ method, path, headers, names, scope }: SignedRequest): string {
  const lines = names.map((name) => `${name}:${String(headers[name])}\n`).join('');
  const sum = String(headers['x-amz-content-sha256']);
  const asked = `${method}\n${path}\n\n${lines}\n${names.join(';')}\n${sum}`;
  const askedSum = createHash('sha256').update(asked).digest('hex');
  let secret: Buffer | string = `AWS4${S3_KEYS.AWS_SECRET_ACCESS_KEY}`;
  for (const word of scope.split('/')) secret = createHmac('sha256', secret).update(word).digest();
  return createHmac('sha256', secret)
    .update(`AWS4-HMAC-SHA256\n${String(headers['x-amz-date'])}\n${scope}\n${askedSum}`)
    .digest('hex');
}
