/** Makes THIRD-PARTY.md: the licences of the packages of which dist/program/ holds parts. `npm run reference` runs it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../', import.meta.url));
const NOTICES = join(PROJECT, 'THIRD-PARTY.md');

/** The directories of the packages of which the bundles hold something. */
export function bundledDirectories(): string[] {
  return JSON.parse(fs.readFileSync(join(PROJECT, 'dist/bundled-packages.json'), 'utf8')) as string[];
}

interface Manifest {
  name: string;
  version: string;
  license: string;
}

/** The whole page. */
export function notices(): string {
  const parts = new Map<string, string>();
  for (const directory of bundledDirectories()) {
    const folder = join(PROJECT, directory);
    const { name, version, license } = JSON.parse(fs.readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    const file = fs.readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${directory} has no licence text`);
    const text = fs.readFileSync(join(folder, file), 'utf8').trim();
    parts.set(`${name} ${version}`, `## ${name} ${version} (${license})\n\n\`\`\`\n${text}\n\`\`\`\n`);
  }
  const sorted = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
  return `# Parts by others

\`dist/program/\` is made of this program (MIT, see LICENSE) and of parts of the packages below, each under its own licence. The packages
that \`package.json\` lists as dependencies beside them come as they are, with their own licences. Made by \`npm run reference\`.

${sorted.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) fs.writeFileSync(NOTICES, notices());
