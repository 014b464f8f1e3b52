/** Ways through the program that take more than one call: what one verb makes of an archive is given to the next. */
import { run, type RunResult } from '../helpers/cli.js';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { codeOf, filesIn, type Result, type Way, type WayTools } from './ways.js';

const NEVER = '--backup=never';
/** What the second reader does not look into. */
const AS_IS = '--no-decode-stream';
/** Names that an empty file may not have that is to be decoded where it lies, while one in an archive may. */
const ENCODED = /\.(lz4|zst)(\.xbcrypt)?$/;

function call(words: readonly string[], { place }: WayTools): Promise<RunResult> {
  return run(words, { stdin: { kind: 'file', path: place.archive } });
}

function ended(result: RunResult): Result {
  return { code: codeOf(result), said: result.stderr };
}

/** Unpacked as it is, and then decoded where it lies. */
async function decoded(tools: WayTools): Promise<Result> {
  const { target } = tools.place;
  const unpacked = await call(['-x', NEVER, AS_IS, '-C', target], tools);
  if (unpacked.code !== 0) return ended(unpacked);
  const isLost = [...filesIn(target)].some(([name, { sizeBytes }]) => sizeBytes === 0 && ENCODED.test(name));
  const key = FIXTURE_KEYS[tools.key]!;
  const words = [`--decrypt=${tools.key}`, '-k', Buffer.from(key.bytes).toString('latin1')];
  const result = await run(['decode', '--remove-original', ...words, target]);
  if (codeOf(result) !== 0) return { ...ended(result), code: isLost ? undefined : codeOf(result) };
  return { ...ended(result), files: filesIn(target) };
}

/** By an index, of which there is none where something is wrong with the headers. */
async function byIndex(tools: WayTools): Promise<Result> {
  const { archive, target, tar: index } = tools.place;
  const made = await call(['index', AS_IS, archive, '-o', index], tools);
  if (made.code !== 0) return ended(made);
  const result = await run(['extract', NEVER, '--index', index, archive, '-C', target]);
  return { ...ended(result), files: filesIn(target) };
}

/** Made into a tar, and an archive of that again. */
async function tarAndBack(tools: WayTools): Promise<Result> {
  const { archive, target, tar } = tools.place;
  const packed = await call(['tar', NEVER, AS_IS, archive, '-o', tar], tools);
  if (packed.code !== 0) return ended(packed);
  const made = await run(['create', NEVER, '--allow-empty', `--from-tar=${tar}`]);
  if (made.code !== 0) return { code: -1, said: `the tar cannot be read: ${made.stderr}` };
  const result = await run(['extract', NEVER, '--allow-empty', '-', '-C', target], {
    stdin: { kind: 'pipe', bytes: made.stdoutBytes },
  });
  if (result.code !== 0) return { code: -1, said: `what was made of the tar is no archive: ${result.stderr}` };
  const files = new Map(
    [...filesIn(target)].map(([name, found]) => [Buffer.from(name, 'latin1').toString('utf8'), found]),
  );
  return { ...ended(result), files };
}

export const SEQUENCES: readonly Way[] = [
  { name: '-x, then decode', decodes: true, reads: 'in order', gives: 'directory', isProgram: true, go: decoded },
  {
    ...{ name: 'index, then extract --index', decodes: false, reads: 'by file', gives: 'directory' },
    ...{ isProgram: true, go: byIndex },
  },
  {
    ...{ name: 'tar, then create --from-tar', decodes: false, reads: 'all there is', gives: 'tar' },
    ...{ isProgram: true, go: tarAndBack },
  },
];
