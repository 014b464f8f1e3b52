/** What the AWS tools know of a store of objects: credentials, region, endpoint; from the same variables and files. */
import { systemCodeOf, XbstreamError } from '../../errors.js';

/** What a store is asked with. */
export interface S3Settings {
  region: string;
  /** Of another store than Amazon's; its address. */
  endpoint: string | undefined;
  /** The bucket is a part of the path, not of the host's name. */
  isPathStyle: boolean;
}

type SignatureV4 = (typeof import('@smithy/signature-v4'))['SignatureV4'];
type CredentialProvider = ReturnType<(typeof import('@aws-sdk/credential-provider-node'))['defaultProvider']>;

/** What of the vendor's own is used: it is loaded only for `s3:`. */
export interface S3Tools {
  SignatureV4: SignatureV4;
  credentials: CredentialProvider;
}

const PACKAGES = ['@aws-sdk/credential-provider-node', '@smithy/signature-v4', '@smithy/core'];
/** Where a store says nothing else; one that knows regions says which, and is asked again. */
const DEFAULT_REGION = 'us-east-1';

/** @param name of the address, for messages @throws XbstreamError `XB_IO` */
export async function loadS3Tools(name: string): Promise<{ tools: S3Tools; settings: S3Settings }> {
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

type ConfigFile = Readonly<Record<string, Readonly<Record<string, string | undefined>> | undefined>>;

/** The settings, as the AWS tools find them: a variable beats a file. @throws XbstreamError `XB_USAGE` */
export function settingsOf(env: NodeJS.ProcessEnv, file: ConfigFile, profileName: string): S3Settings {
  const profile = file[profileName] ?? {};
  const services = profile['services'] === undefined ? {} : (file[`services.${profile['services']}`] ?? {});
  const endpoint = firstOf(
    env['AWS_ENDPOINT_URL_S3'],
    env['AWS_ENDPOINT_URL'],
    services['s3.endpoint_url'],
    profile['endpoint_url'],
  );
  if (endpoint !== undefined && !(URL.canParse(endpoint) && /^https?:/i.test(endpoint))) {
    throw new XbstreamError('XB_USAGE', 'AWS_ENDPOINT_URL is no address', {
      hints: ['such as https://s3.example.com'],
    });
  }
  const style = profile['s3.addressing_style'];
  return {
    region: firstOf(env['AWS_REGION'], env['AWS_DEFAULT_REGION'], profile['region']) ?? DEFAULT_REGION,
    endpoint,
    // Few stores of one's own have a name for each bucket.
    isPathStyle: style === 'path' || (style !== 'virtual' && endpoint !== undefined),
  };
}

/** An empty one counts as none. */
function firstOf(...texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((text) => text !== undefined && text !== '');
}
