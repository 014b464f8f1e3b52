/** What ARCHITECTURE.md promises of the source is so. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = join(PROJECT, 'src');
const MODULES = fs.readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** What a module imports of `src`, types too. */
function importsOf(module: string): string[] {
  const text = fs.readFileSync(join(SOURCE, module), 'utf8');
  const found = text.matchAll(/^(?:import|export) [^;]*? from '(\..*?)\.js'|import\('(\..*?)\.js'\)/gm);
  return Array.from(found, ([, statement, call]) => normalize(join(dirname(module), `${(statement ?? call)!}.ts`)));
}

test('no module imports itself by way of others, not even for a type', () => {
  const imports = new Map(MODULES.map((module) => [module, importsOf(module)]));
  assert.ok(imports.get('index.ts')!.length > 10);
  const done = new Set<string>();
  const look = (module: string, way: readonly string[]): void => {
    assert.ok(!way.includes(module), [...way, module].join(' -> '));
    if (done.has(module)) return;
    for (const other of imports.get(module) ?? []) look(other, [...way, module]);
    done.add(module);
  };
  for (const module of MODULES) look(module, []);
});

test('the modules it names are there', () => {
  const text = fs.readFileSync(join(PROJECT, 'ARCHITECTURE.md'), 'utf8');
  const named = Array.from(text.matchAll(/`(?!test\/)([\w/.-]+\.ts)`/g), ([, name]) => name!);
  assert.ok(named.length > 40);
  assert.deepEqual(
    named.filter((name) => !MODULES.some((module) => `/${module}`.endsWith(`/${name}`))),
    [],
  );
});
