/** What Node asks for modules written in TypeScript: they are told by the name that their JavaScript would have. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Files that were translated once, by their content. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/typescript/', import.meta.url));

export async function resolve(specifier, context, next) {
  if (/^\.\.?\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
    const url = new URL(specifier.replace(/js$/, 'ts'), context.parentURL);
    if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  return { format: 'module', source: await translated(path, readFileSync(path, 'utf8')), shortCircuit: true };
}

async function translated(path, text) {
  const name = CACHE + createHash('sha1').update(path).update(text).digest('hex');
  if (existsSync(name)) return readFileSync(name);
  const { transformSync } = await import('esbuild');
  const { code } = transformSync(text, { loader: 'ts', target: 'node20', sourcemap: 'inline', sourcefile: path });
  mkdirSync(CACHE, { recursive: true });
  // Others may translate the same file.
  const half = `${name}.${process.pid}`;
  writeFileSync(half, code);
  renameSync(half, name);
  return code;
}
