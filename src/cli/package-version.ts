import { readFileSync } from 'node:fs';

/** The version of this program, as package.json has it. The executable has another module in the place of this one. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
