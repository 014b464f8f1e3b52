/** What the AWS tools know of a store of objects: its region and endpoint, from the same variables and files. */
import { XbstreamError } from '../../../errors.js';

/** What a store is asked with. */
export interface S3Settings {
  region: string;
  /** Of another store than Amazon's; its address. */
  endpoint: string | undefined;
  /** The bucket is a part of the path, not of the host's name. */
  isPathStyle: boolean;
}

/** Where a store says nothing else; one that knows regions says which, and is asked again. */
const DEFAULT_REGION = 'us-east-1';

/** Parts of Amazon's cloud that have a domain of their own, by the beginnings of their regions' names. */
const DOMAINS: Readonly<Record<string, string>> = {
  'cn-': 'amazonaws.com.cn',
  'eusc-': 'amazonaws.eu',
  'us-iso-': 'c2s.ic.gov',
  'us-isob-': 'sc2s.sgov.gov',
  'us-isof-': 'csp.hci.ic.gov',
  'eu-isoe-': 'cloud.adc-e.uk',
};

/** The address of Amazon's own store in a region. */
export function endpointIn(region: string): string {
  const [, domain = 'amazonaws.com'] = Object.entries(DOMAINS).find(([start]) => region.startsWith(start)) ?? [];
  return `https://s3.${region}.${domain}`;
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
