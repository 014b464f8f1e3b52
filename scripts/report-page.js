import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

/**
 * Bundles what runs in a report, and how it looks: both stand in the page, so they are text to the module that makes it.
 *
 * @returns {Promise<string[]>} the modules of packages that are in it
 */
export async function bundlePage() {
  const [script, style] = await Promise.all(
    ['main.ts', 'report.css'].map((name) =>
      build({
        entryPoints: [`src/report/page/${name}`],
        ...{ bundle: true, write: false, metafile: true, minify: true },
        ...{ format: 'iife', target: 'es2022', logLevel: 'warning', charset: 'utf8' },
      }),
    ),
  );
  const parts = Object.keys(script.metafile.inputs).filter((name) => name.startsWith('node_modules/'));
  // Each page is a copy of them, and has their licence.
  const folders = new Set(parts.map((name) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(name)[0]));
  const licences = Array.from(
    folders,
    (folder) => `/*! ${folder.slice(13)}\n${readFileSync(`${folder}/LICENSE`, 'utf8')}*/\n`,
  );
  const text = (name, { outputFiles }, before = '') =>
    `export const ${name} = ${JSON.stringify(before + outputFiles[0].text)};\n`;
  writeFileSync('dist/report/page-assets.js', text('SCRIPT', script, licences.join('')) + text('STYLE', style));
  return parts;
}
