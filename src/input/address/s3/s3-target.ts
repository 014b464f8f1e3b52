/** Signs what is asked of an object store, by the modules of the AWS SDK. */
import { createHash, createHmac } from 'node:crypto';
import { systemCodeOf, XbstreamError } from '../../../errors.js';
import { shownAddress, type Address } from '../address.js';
import type { Request } from '../http/exchange.js';
import type { Target } from '../http-target.js';
import type { Refusal } from '../responses.js';
import { endpointIn, settingsOf, type S3Settings } from './s3-settings.js';

type S3Address = Address & { scheme: 's3' };

type SignatureV4 = (typeof import('@smithy/signature-v4'))['SignatureV4'];
type CredentialProvider = ReturnType<(typeof import('@aws-sdk/credential-provider-node'))['defaultProvider']>;

/** What of the vendor's own is used: it is loaded only for `s3:`. */
interface S3Tools {
  SignatureV4: SignatureV4;
  credentials: CredentialProvider;
}

const PACKAGES = ['@aws-sdk/credential-provider-node', '@smithy/signature-v4', '@smithy/core'];
/** A bucket of a store that speaks S3: each request is signed, with what the vendor's own tools take as credentials. */
export class S3Bucket {
  readonly name: string;
  readonly #tools: S3Tools;
  readonly #settings: S3Settings;
  #region: string;

  private constructor(name: string, tools: S3Tools, settings: S3Settings) {
    this.name = name;
    this.#tools = tools;
    this.#settings = settings;
    this.#region = settings.region;
  }

  /** @throws XbstreamError `XB_IO` where packages are missing, or settings cannot be read */
  static async of(address: S3Address): Promise<S3Bucket> {
    const { tools, settings } = await loadS3Tools(shownAddress(address));
    return new S3Bucket(address.bucket, tools, settings);
  }

  /**
   * The request for an object, or for a list of them.
   *
   * @param query of a list
   * @param target what is asked for, for messages
   */
  async request(
    key: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    target: S3Target,
  ): Promise<Request> {
    const { url, path } = this.#placeOf(key);
    const signer = new this.#tools.SignatureV4({
      service: 's3',
      region: this.#region,
      credentials: await this.#credentials(target),
      sha256: Sha256,
      // Keys are signed as they are sent.
      uriEscapePath: false,
    });
    const signed = await signer.sign({
      method: 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      path,
      query,
      headers: { ...headers, host: url.host },
    });
    const pairs = Object.entries(query).map((pair) => pair.map(escaped).join('='));
    return { url, path: pairs.length === 0 ? path : `${path}?${pairs.join('&')}`, headers: signed.headers };
  }

  async #credentials({ name, access }: S3Target): ReturnType<S3Tools['credentials']> {
    try {
      return await this.#tools.credentials();
    } catch (error) {
      // Its message may have anything in it, from files and other programs.
      const reason = error instanceof Error ? error.name : 'unknown';
      throw new XbstreamError('XB_IO', `cannot read ${name}: there are no credentials (${reason})`, {
        hints: [...access, 'an object that everybody may read has an address that begins with https:'],
      });
    }
  }

  /** Takes note of where the bucket lies. @returns whether that was not known */
  follow({ region }: Refusal): boolean {
    if (region === undefined || region === this.#region || this.#settings.endpoint !== undefined) return false;
    // It becomes a part of a host's name.
    if (!/^[a-z\d-]{1,63}$/.test(region)) return false;
    this.#region = region;
    return true;
  }

  #placeOf(key: string): { url: URL; path: string } {
    const { endpoint, isPathStyle } = this.#settings;
    const url = new URL(endpoint ?? endpointIn(this.#region));
    // A certificate of a store is not good for names with another dot in them.
    const hasDots = this.name.includes('.') && url.protocol === 'https:';
    const folder = url.pathname.replace(/\/$/, '');
    if (isPathStyle || hasDots) return { url, path: `${folder}/${this.name}/${escapedKey(key)}` };
    url.host = `${this.name}.${url.host}`;
    return { url, path: `${folder}/${escapedKey(key)}` };
  }
}

/** An object of a bucket, or a list of objects. */
export class S3Target implements Target {
  readonly name: string;
  readonly access: readonly string[];
  readonly #bucket: S3Bucket;
  readonly #key: string;
  readonly #query: Readonly<Record<string, string>> | undefined;

  /** @param query asks for a list of those whose keys begin with this one */
  constructor(bucket: S3Bucket, key: string, query?: Readonly<Record<string, string>>) {
    this.name = shownAddress({ scheme: 's3', bucket: bucket.name, key });
    const permission = query === undefined ? 's3:GetObject' : 's3:ListBucket';
    this.access = [
      `the credentials are those of the AWS tools: AWS_PROFILE, AWS_ACCESS_KEY_ID and so on; they must allow ${permission}`,
    ];
    this.#bucket = bucket;
    this.#key = key;
    this.#query = query && { ...query, prefix: key };
  }

  request(headers: Readonly<Record<string, string>>): Promise<Request> {
    const query = this.#query;
    return this.#bucket.request(query === undefined ? this.#key : '', query ?? {}, headers, this);
  }

  follow(refusal: Refusal): boolean {
    return this.#bucket.follow(refusal);
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
  return key.split('/').map(escaped).join('/');
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
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
