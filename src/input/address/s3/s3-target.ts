import { createHash, createHmac } from 'node:crypto';
import { systemCodeOf, XbstreamError } from '../../../errors.js';
import { shownAddress, type Address } from '../address.js';
import type { Request } from '../http/exchange.js';
import type { Target } from '../http-target.js';
import type { Refusal } from '../responses.js';
import { settingsOf, type S3Settings } from './s3-settings.js';

type S3Address = Address & { scheme: 's3' };

type SignatureV4 = (typeof import('@smithy/signature-v4'))['SignatureV4'];
type CredentialProvider = ReturnType<(typeof import('@aws-sdk/credential-provider-node'))['defaultProvider']>;

/** What of the vendor's own is used: it is loaded only for `s3:`. */
interface S3Tools {
  SignatureV4: SignatureV4;
  credentials: CredentialProvider;
}

const PACKAGES = ['@aws-sdk/credential-provider-node', '@smithy/signature-v4', '@smithy/core'];
/** An object in a store that speaks S3: each request is signed, with what the vendor's own tools take as credentials. */
export class S3Target implements Target {
  readonly name: string;
  readonly access = [
    'the credentials are those of the AWS tools: AWS_PROFILE, AWS_ACCESS_KEY_ID and so on; they must allow s3:GetObject',
  ];
  readonly #address: S3Address;
  readonly #tools: S3Tools;
  readonly #settings: S3Settings;
  #region: string;

  private constructor(address: S3Address, tools: S3Tools, settings: S3Settings) {
    this.name = shownAddress(address);
    this.#address = address;
    this.#tools = tools;
    this.#settings = settings;
    this.#region = settings.region;
  }

  /** @throws XbstreamError `XB_IO` where packages are missing, or settings cannot be read */
  static async of(address: S3Address): Promise<S3Target> {
    const { tools, settings } = await loadS3Tools(shownAddress(address));
    return new S3Target(address, tools, settings);
  }

  async request(headers: Readonly<Record<string, string>>): Promise<Request> {
    const url = this.#url();
    const signer = new this.#tools.SignatureV4({
      service: 's3',
      region: this.#region,
      credentials: await this.#credentials(),
      sha256: Sha256,
      // Keys are signed as they are sent.
      uriEscapePath: false,
    });
    const signed = await signer.sign({
      method: 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: url.host },
    });
    return { url, headers: signed.headers };
  }

  async #credentials(): ReturnType<S3Tools['credentials']> {
    try {
      return await this.#tools.credentials();
    } catch (error) {
      // Its message may have anything in it, from files and other programs.
      const name = error instanceof Error ? error.name : 'unknown';
      throw new XbstreamError('XB_IO', `cannot read ${this.name}: there are no credentials (${name})`, {
        hints: [...this.access, 'an object that everybody may read has an address that begins with https:'],
      });
    }
  }

  follow(refusal: Refusal): boolean {
    const { region } = refusal;
    if (region === undefined || region === this.#region || this.#settings.endpoint !== undefined) return false;
    this.#region = region;
    return true;
  }

  #url(): URL {
    const { bucket, key } = this.#address;
    const { endpoint, isPathStyle } = this.#settings;
    const base = new URL(endpoint ?? `https://s3.${this.#region}.amazonaws.com`);
    // A certificate of a store is not good for names with another dot in them.
    const hasDots = bucket.includes('.') && base.protocol === 'https:';
    const folder = base.pathname.replace(/\/$/, '');
    if (isPathStyle || hasDots) base.pathname = `${folder}/${bucket}/${escapedKey(key)}`;
    else {
      base.host = `${bucket}.${base.host}`;
      base.pathname = `${folder}/${escapedKey(key)}`;
    }
    return base;
  }
}

/** @param name of the address, for messages @throws XbstreamError `XB_IO` */
async function loadS3Tools(name: string): Promise<{ tools: S3Tools; settings: S3Settings }> {
  try {
    const [{ defaultProvider }, { SignatureV4 }, { loadSharedConfigFiles, getProfileName }] = await Promise.all([
      import('@aws-sdk/credential-provider-node'),
      import('@smithy/signature-v4'),
      import('@smithy/core/config'),
    ]);
    const files = await loadSharedConfigFiles();
    const settings = settingsOf(process.env, files.configFile, getProfileName({}));
    return { tools: { SignatureV4, credentials: defaultProvider() }, settings };
  } catch (error) {
    if (error instanceof XbstreamError) throw error;
    if (systemCodeOf(error) === 'ERR_MODULE_NOT_FOUND') throw missing(name);
    const reason = error instanceof Error ? error.name : 'unknown';
    throw new XbstreamError('XB_IO', `cannot read ${name}: the settings of the AWS tools cannot be read (${reason})`);
  }
}

function missing(name: string): XbstreamError {
  return new XbstreamError('XB_IO', `cannot read ${name}: the packages that s3: needs are not installed`, {
    hints: [
      `beside tsxbstream: npm install -g ${PACKAGES.join(' ')}`,
      'or give a presigned address: aws s3 presign s3://BUCKET/KEY',
    ],
  });
}

function escapedKey(key: string): string {
  const escaped = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return key.split('/').map(escaped).join('/');
}

/** SHA-256 in the form that the signer wants. */
class Sha256 {
  readonly #secret: string | ArrayBuffer | ArrayBufferView | undefined;
  #hash!: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret;
    this.reset();
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    const secret = this.#secret instanceof ArrayBuffer ? Buffer.from(this.#secret) : this.#secret;
    const bytes =
      typeof secret === 'object' ? Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength) : secret;
    this.#hash = bytes === undefined ? createHash('sha256') : createHmac('sha256', bytes);
  }
}
