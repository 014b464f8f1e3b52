/** What ARCHITECTURE.md promises of the source is so. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = join(PROJECT, 'src');
const TEXT = fs.readFileSync(join(PROJECT, 'ARCHITECTURE.md'), 'utf8');
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

/** The folders of `src` in its diagram, the uppermost first. */
function layersOf(text: string): string[] {
  const [, diagram] = /## Layers[^]*?```\n([^]*?)```/.exec(text)!;
  return Array.from(diagram!.matchAll(/^ {6,8}(\w+)/gm), ([, name]) => name!);
}

test('each folder imports only from those below it in the diagram', () => {
  const layers = layersOf(TEXT);
  const folders = fs.readdirSync(SOURCE, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const entrances = ['cli', 'library'];
  assert.deepEqual([...layers, ...entrances].sort(), folders.map(({ name }) => name).sort());
  const folderOf = (module: string): string => dirname(module).split('/', 1)[0]!;
  for (const module of MODULES) {
    // What stands in no folder serves all of them.
    if (folderOf(module) === '.') continue;
    const above = [...entrances, ...layers.slice(0, Math.max(0, layers.indexOf(folderOf(module))))];
    const isAbove = (other: string): boolean => folderOf(other) !== folderOf(module) && above.includes(folderOf(other));
    assert.deepEqual(importsOf(module).filter(isAbove), [], module);
  }
});

test('no folder has more files than one sees at a glance, and no file more than a few pages', () => {
  const inFolder = new Map<string, number>();
  for (const module of MODULES) inFolder.set(dirname(module), (inFolder.get(dirname(module)) ?? 0) + 1);
  for (const [folder, count] of inFolder) assert.ok(count <= 14, `${folder} has ${count} modules`);
  for (const module of MODULES) {
    if (module === 'verbs/options/table.ts') continue;
    const lines = fs.readFileSync(join(SOURCE, module), 'utf8').split('\n').length - 1;
    assert.ok(lines <= 400, `${module} has ${lines} lines`);
  }
});

test('the modules it names are there', () => {
  const named = Array.from(TEXT.matchAll(/`(?!test\/)([\w/.-]+\.ts)`/g), ([, name]) => name!);
  assert.ok(named.length > 40);
  assert.deepEqual(
    named.filter((name) => !MODULES.some((module) => `/${module}`.endsWith(`/${name}`))),
    [],
  );
});
