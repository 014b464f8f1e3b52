/** A server on loopback that speaks S3, and checks signatures. */
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
  const headers = `host:${host}\nx-amz-content-sha256:${sum}\nx-amz-date:${time}\n`;
  const names = 'host;x-amz-content-sha256;x-amz-date';
  const asked = createHash('sha256').update(`PUT\n${path}\n\n${headers}\n${names}\n${sum}`).digest('hex');
  let secret: Buffer | string = `AWS4${S3_KEYS.AWS_SECRET_ACCESS_KEY}`;
  for (const word of scope.split('/')) secret = createHmac('sha256', secret).update(word).digest();
  const signature = createHmac('sha256', secret).update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${asked}`).digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${S3_KEYS.AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const response = await fetch(endpoint + path, {
    method: 'PUT',
    headers: { authorization, 'x-amz-date': time, 'x-amz-content-sha256': sum },
    body: new Uint8Array(body),
  });
  if (!response.ok) throw new Error(`the S3 server: ${response.status} ${await response.text()}`);
}
