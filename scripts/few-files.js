/**
 * Has a bundler put what verbs have in common into few files. It makes one of all modules that the same set of others wants, and
 * so some thirty to forty, which every run has to load: that takes longer than all that is in them.
 */
import { readFile } from 'node:fs/promises';

/** What is loaded before it is known what to do: a thread starts while the rest is loaded. */
const FIRST = ['dist/cli/main.js', 'dist/verbs/threads/start.js'];
/** Where the rest begins. */
const RUN = 'dist/cli/run.js';
const VERB = /^dist\/verbs\/[a-z-]+\.js$/;
/** Those that read an archive in the main thread. */
const READING_VERBS = ['list', 'cat', 'info', 'report'].map((verb) => `dist/verbs/${verb}.js`);

/**
 * Whatever is loaded later is made to want all that each verb wants, or all that each verb wants that reads: then it is one file.
 *
 * @param {import('esbuild').Metafile['outputs']} outputs what the bundler would make otherwise
 * @param {(contents: string) => string} change what is to be done with the text of each module
 * @returns {import('esbuild').Plugin}
 */
export function inFewFiles(outputs, change) {
  const later = Object.entries(outputs).flatMap(([file, { entryPoint }]) =>
    entryPoint === undefined || FIRST.includes(entryPoint) ? [] : [{ entryPoint, modules: loadedWith(outputs, file) }],
  );
  const isReading = ({ entryPoint }) => READING_VERBS.includes(entryPoint);
  const isOther = ({ entryPoint }) => VERB.test(entryPoint) && !READING_VERBS.includes(entryPoint);
  const run = later.find(({ entryPoint }) => entryPoint === RUN).modules;
  const each = new Set([...run, ...common(later.filter(isOther))]);
  const reading = new Set(common(later.filter(isReading)).filter((module) => !each.has(module)));
  const sets = { each, reading };
  return {
    name: 'in few files',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^all:/ }, ({ path }) => ({ path: path.slice('all:'.length), namespace: 'all' }));
      onLoad({ filter: /.*/, namespace: 'all' }, ({ path }) => ({
        contents: [...sets[path]].map((module) => `import ${JSON.stringify(`./${module}`)};`).join('\n'),
        resolveDir: '.',
      }));
      onLoad({ filter: /[/]dist[/].*\.js$/ }, async ({ path }) => {
        const found = later.find(({ entryPoint }) => path.endsWith(`/${entryPoint}`));
        if (found === undefined) return undefined;
        const reads = [...found.modules].some((module) => reading.has(module));
        const more = `import 'all:each';${reads ? `import 'all:reading';` : ''}`;
        // The last line may be a comment, of a source map.
        return { contents: `${change(await readFile(path, 'utf8'))}\n${more}` };
      });
    },
  };
}

/** The modules in a file, and in those that it imports. @returns {Set<string>} */
function loadedWith(outputs, file, seen = new Set(), modules = new Set()) {
  if (seen.has(file)) return modules;
  seen.add(file);
  const { inputs, imports } = outputs[file];
  for (const module of Object.keys(inputs)) modules.add(module);
  for (const { kind, external, path } of imports) {
    if (kind === 'import-statement' && external !== true) loadedWith(outputs, path, seen, modules);
  }
  return modules;
}

/** What at least two of them want. @returns {string[]} */
function common(those) {
  const all = new Set(those.flatMap(({ modules }) => [...modules]));
  return [...all].filter((module) => those.filter(({ modules }) => modules.has(module)).length > 1);
}
