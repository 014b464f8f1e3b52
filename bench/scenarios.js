/**
 * What is measured. A new scenario is one more entry of {@link makeScenarios}.
 */
import { syntheticEntries } from './content.js';
import { folderEntries } from './folder.js';

/** @typedef {import('./content.js').Entry} Entry */
/** @typedef {import('./folder.js').Encoding} Encoding */

/**
 * How an archive is made. Scenarios that share the object share the archive.
 *
 * @typedef {object} ArchiveRecipe
 * @property {() => Entry[]} entries what extracting it must yield
 * @property {number} chunkBytes
 * @property {number} [interleave] 1
 * @property {Encoding} [encoding] what the entries are put through before they are packed
 */

/**
 * `ratio`: the median of ours divided by the peer's; `bytes`: the highest of our peak memory.
 *
 * @typedef {{ figure: 'wall' | 'cpu', ratio: number } | { figure: 'rss', bytes: number }} Goal
 */

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title
 * @property {ArchiveRecipe} [archive] given on stdin; without one nothing is unpacked and nothing compared
 * @property {ArchiveRecipe} [peerArchive] when the peer is to be measured with another one; it must yield the same
 * @property {'file' | 'pipe'} [input] how it is given
 * @property {(target: string) => string[]} [before] given the archive instead; run before each, outside the timing
 * @property {(target: string) => string[]} [after] makes a tree of what the first runs have left, to be compared
 * @property {boolean} [isTreeMade] whether there is anything to be compared; true
 * @property {number} [targetCopies] how often the content is in the target at a time; 1
 * @property {(target: string) => string[]} ours our command, unpacking into the folder `target`
 * @property {(target: string) => string[]} peer the command we are compared with
 * @property {number} [peerMemoryBytes] the peer is left out when less memory is free
 * @property {boolean} [peerMayFail] the peer is left out when it cannot read the archive
 * @property {number} [leastRounds] for short commands, which vary more
 * @property {number} [mostRounds] for long ones
 * @property {Goal[]} goals
 */

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const CHUNK_BYTES = 10 * MIB;

/** @type {Goal} */
const RSS_GOAL = { figure: 'rss', bytes: 100e6 };
/** @type {Goal} */
const MAKING_RSS_GOAL = { figure: 'rss', bytes: 120e6 };

/**
 * A shell command in a folder.
 *
 * @param {string} script gets `words` as its arguments
 * @param {string} folder
 * @param {string[]} words
 */
function shell(script, folder, words = []) {
  return ['sh', '-ec', `cd "$0"; ${script}`, folder, ...words];
}

/**
 * @param {object} programs
 * @param {string[]} programs.ours
 * @param {string[]} programs.peer
 * @param {string} [programs.innodb] a folder of real tables, see innodb.sh
 * @returns {Scenario[]}
 */
export function makeScenarios({ ours, peer, innodb }) {
  const extract = {
    ours: (/** @type {string} */ target) => [...ours, '-x', '-C', target],
    peer: (/** @type {string} */ target) => [...peer, '-x', '-C', target],
  };
  /** @type {ArchiveRecipe} */
  const large = {
    entries: () => syntheticEntries({ files: 8, fileBytes: 256 * MIB, content: 'random' }),
    chunkBytes: CHUNK_BYTES,
  };
  /** @type {ArchiveRecipe} */
  const interleaved = { ...large, interleave: 8 };
  const extractByTwo = {
    ours: (/** @type {string} */ target) => [...ours, '-x', '-p', '2', '-C', target],
    peer: (/** @type {string} */ target) => [...peer, '-x', '-p', '2', '-C', target],
  };
  /** @type {ArchiveRecipe} */
  const small = {
    entries: () => syntheticEntries({ files: 50_000, fileBytes: 1500, content: 'random' }),
    chunkBytes: CHUNK_BYTES,
  };
  /** @type {Scenario[]} */
  const scenarios = [
    {
      name: 'large-file',
      title: '8 files of 256 MiB in 10 MiB chunks, `< archive`',
      archive: large,
      input: 'file',
      ...extract,
      goals: [{ figure: 'wall', ratio: 0.95 }, RSS_GOAL],
    },
    {
      name: 'large-pipe',
      title: 'the same, `cat archive |`',
      archive: large,
      input: 'pipe',
      ...extract,
      goals: [{ figure: 'wall', ratio: 0.95 }, RSS_GOAL],
    },
    {
      name: 'large-file-fsync',
      title: 'the same, `< archive`, with `--fsync`; the peer has `sync -f` behind it',
      archive: large,
      input: 'file',
      ours: (/** @type {string} */ target) => [...ours, '-x', '--fsync', '-C', target],
      peer: (/** @type {string} */ target) => shell('"$@" -x; exec sync -f .', target, peer),
      goals: [RSS_GOAL],
    },
    {
      name: 'interleaved-file',
      title: 'the same 8 files interleaved, two threads on both sides, `< archive`',
      archive: interleaved,
      input: 'file',
      ...extractByTwo,
      goals: [{ figure: 'wall', ratio: 1.3 }, RSS_GOAL],
    },
    {
      name: 'interleaved-pipe',
      title: 'the same, `cat archive |`',
      archive: interleaved,
      input: 'pipe',
      ...extractByTwo,
      goals: [RSS_GOAL],
    },
    {
      name: 'verify',
      title: '`verify` of the 8 files of 256 MiB; the peer is `cat` to /dev/null',
      archive: large,
      input: 'file',
      isTreeMade: false,
      ours: () => [...ours, 'verify', '-q'],
      peer: () => ['cat'],
      goals: [{ figure: 'wall', ratio: 2.6 }, RSS_GOAL],
    },
    {
      name: 'small-file',
      title: '50,000 files of 1.5 KB, `< archive`',
      archive: small,
      input: 'file',
      ...extract,
      goals: [{ figure: 'wall', ratio: 1.35 }, RSS_GOAL],
    },
    {
      name: 'small-pipe',
      title: 'the same, `cat archive |`',
      archive: small,
      input: 'pipe',
      ...extract,
      goals: [RSS_GOAL],
    },
    {
      name: 'one-chunk',
      title: 'one file of 4 GiB in a single chunk, `< archive`',
      archive: {
        entries: () => syntheticEntries({ files: 1, fileBytes: 4 * GIB, content: 'random' }),
        chunkBytes: 4 * GIB,
      },
      input: 'file',
      ...extract,
      // Both C readers hold a chunk in memory, and mbstream's checksum takes a length of 32 bits only.
      peerMemoryBytes: 5 * GIB,
      peerMayFail: true,
      mostRounds: 3,
      goals: [RSS_GOAL],
    },
    {
      name: 'to-tar',
      title: 'the 8 files of 256 MiB to a tar, `< archive`; the peer unpacks them and packs them with GNU tar',
      archive: large,
      input: 'file',
      ours: (/** @type {string} */ target) => [...ours, 'convert-to-tar', '-q', '-o', `${target}/a.tar`],
      peer: (/** @type {string} */ target) =>
        shell('mkdir tree; "$@" -x -C tree; tar -cf a.tar -C tree .', target, peer),
      after: (/** @type {string} */ target) => shell('rm -rf tree; tar -xf a.tar; rm a.tar', target),
      targetCopies: 2,
      goals: [{ figure: 'wall', ratio: 0.7 }, MAKING_RSS_GOAL],
    },
    {
      name: 'create',
      title: 'the same files with `-c` to /dev/null',
      archive: large,
      before: extract.peer,
      ours: (/** @type {string} */ target) => shell('exec "$@" -c */*', target, ours),
      peer: (/** @type {string} */ target) => shell('exec "$@" -c */*', target, peer),
      goals: [{ figure: 'wall', ratio: 1 }, MAKING_RSS_GOAL],
    },
    {
      name: 'version',
      title: '`--version` against `node -e 0`',
      ours: () => [...ours, '--version'],
      peer: () => [process.execPath, '-e', '0'],
      leastRounds: 21,
      goals: [{ figure: 'wall', ratio: 1.6 }],
    },
  ];
  if (innodb !== undefined) scenarios.push(...layeredScenarios(innodb, ours, extract.peer));
  return scenarios;
}

/**
 * The same jobs, each done by an older build of ours in the peer's place: what a change has gained or lost.
 *
 * @param {Parameters<typeof makeScenarios>[0]} programs
 * @param {string[]} base
 * @returns {Scenario[]}
 */
export function againstBase(programs, base) {
  const older = makeScenarios({ ...programs, ours: base });
  return makeScenarios(programs).map((scenario, index) => ({
    ...scenario,
    title: scenario.title.replace(/; the peer .*/, ''),
    peer: /** @type {Scenario} */ (older[index]).ours,
    peerArchive: scenario.archive,
    peerMemoryBytes: 0,
    peerMayFail: false,
    goals: [],
  }));
}

/** What the encoders of xtrabackup do, by programs that are at hand. */
const ENCODE = 'node --import tsx bench/encode-layer.ts';
/** xtrabackup's frames say how much they hold; the program knows that of a file only. */
const LZ4 =
  'f=$(mktemp) && cat > "$f" && lz4 -1 -B4 --content-size -qcf "$f" 2> /dev/null; code=$?; rm "$f"; exit $code';

/**
 * Layers, and the most time that undoing them may take, as a multiple of unpacking the same files as they are: with two
 * threads, and with one.
 *
 * @type {{ name: string, encoding?: Encoding, two: number, one: number }[]}
 */
const LAYERS = [
  { name: 'plain', two: 1.3, one: 1.3 },
  { name: 'lz4', encoding: { command: LZ4, suffix: '.lz4', frameBytes: CHUNK_BYTES }, two: 1.3, one: 1.75 },
  { name: 'zstd', encoding: { command: 'zstd -1 -c', suffix: '.zst', frameBytes: CHUNK_BYTES }, two: 1.5, one: 2.13 },
  { name: 'qpress', encoding: { command: `${ENCODE} qpress`, suffix: '.qp' }, two: 2.1, one: 3.65 },
  { name: 'aes', encoding: { command: `${ENCODE} aes256`, suffix: '.xbcrypt' }, two: 1.5, one: 2.38 },
  {
    name: 'zstd-aes',
    encoding: { command: `zstd -1 -c | ${ENCODE} aes256`, suffix: '.zst.xbcrypt', frameBytes: CHUNK_BYTES },
    two: 1.8,
    one: 2.39,
  },
  {
    name: 'lz4-aes',
    encoding: { command: `(${LZ4}) | ${ENCODE} aes256`, suffix: '.lz4.xbcrypt', frameBytes: CHUNK_BYTES },
    two: 2.2,
    one: 3,
  },
  {
    name: 'qpress-aes',
    encoding: { command: `${ENCODE} qpress aes256`, suffix: '.qp.xbcrypt' },
    two: 3,
    one: 4.5,
  },
];

/**
 * @param {string} innodb
 * @param {string[]} ours
 * @param {(target: string) => string[]} peer
 * @returns {Scenario[]}
 */
function layeredScenarios(innodb, ours, peer) {
  /** @type {ArchiveRecipe} */
  const plain = { entries: () => folderEntries(innodb), chunkBytes: CHUNK_BYTES };
  /** @type {Goal} */
  const memory = { figure: 'rss', bytes: 250e6 };
  const key = '--encrypt-key=0123456789abcdef0123456789ABCDEF';
  return LAYERS.flatMap(({ name, encoding, two, one }) => {
    const archive = encoding === undefined ? plain : { ...plain, encoding };
    return [2, 1].map((threads) => {
      const limits = [`--parallel=${threads}`, `--decompress-threads=${threads}`, `--encrypt-threads=${threads}`];
      return {
        name: `${name}-${threads}`,
        title: `real InnoDB tables, ${name}, ${threads} thread${threads > 1 ? 's' : ''}; the peer unpacks them as they are`,
        archive,
        peerArchive: plain,
        input: /** @type {const} */ ('file'),
        ours: (/** @type {string} */ target) => [
          ...[...ours, '-x', '-C', target, '--decompress', '--decrypt=AES256', key],
          ...limits,
        ],
        peer,
        goals: [{ figure: /** @type {const} */ ('wall'), ratio: threads === 2 ? two : one }, memory],
      };
    });
  });
}
