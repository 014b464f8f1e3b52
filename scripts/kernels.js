/** Makes the modules of the WebAssembly kernels anew from their sources: `npm run kernels`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import wabt from 'wabt';

const FOLDER = new URL('../src/codec/', import.meta.url);
const LINE_LENGTH = 122;

const tools = await wabt();
for (const [source, module, name] of [
  ['lz4/lz4.wat', 'lz4/lz4-wasm.ts', 'LZ4_WASM'],
  ['qpress/quicklz.wat', 'qpress/quicklz-wasm.ts', 'QUICKLZ_WASM'],
]) {
  const { buffer } = tools.parseWat(source, readFileSync(new URL(source, FOLDER), 'utf8')).toBinary({});
  const text = Buffer.from(buffer).toString('base64');
  const lines = text.match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')).map((line) => `  '${line}'`);
  const words = `/** ${basename(source)} as WebAssembly, in base64: change that file, and run \`npm run kernels\`. */`;
  writeFileSync(new URL(module, FOLDER), `${words}\nexport const ${name} =\n${lines.join(' +\n')};\n`);
}
