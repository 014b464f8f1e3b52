/** Other people's programs for tar archives. */
import { spawnSync } from 'node:child_process';
import { tempDir, type Cleanup } from './temp.js';
import { readTree, type Tree } from './tree.js';

/** Lists and unpacks, each by itself; its exit code has a bit for each that failed. */
const PYTHON = `
import sys, tarfile, traceback
code = 0
def names(tar):
    for name in tar.getnames(): ascii(name)
for bit, work in ((1, names), (2, lambda tar: tar.extractall(sys.argv[2]))):
    try:
        with tarfile.open(sys.argv[1]) as tar: work(tar)
    except Exception:
        traceback.print_exc()
        code |= bit
sys.exit(code)
`;

interface TarProgram {
  name: string;
  program: string;
  debianPackage: string;
  /** Missing where unpacking lists, too. */
  list?: (tar: string) => readonly string[];
  unpack: (tar: string, target: string) => readonly string[];
}

export const TAR_PROGRAMS: readonly TarProgram[] = [
  {
    name: 'GNU tar',
    program: 'tar',
    debianPackage: 'tar',
    list: (tar) => ['-tvf', tar],
    unpack: (tar, target) => ['-xf', tar, '-C', target],
  },
  {
    name: 'bsdtar',
    program: 'bsdtar',
    debianPackage: 'libarchive-tools',
    list: (tar) => ['-tvf', tar],
    unpack: (tar, target) => ['-xf', tar, '-C', target],
  },
  {
    name: 'tarfile',
    program: 'python3',
    debianPackage: 'python3',
    unpack: (tar, target) => ['-c', PYTHON, tar, target],
  },
];

export interface TarOutcome {
  /** Exit codes of listing and unpacking. */
  codes: readonly [number | null, number | null];
  /** What both said. */
  said: string;
  tree: Tree;
}

/** Lists and unpacks a tar. */
export function readTar(context: Cleanup, { program, list, unpack }: TarProgram, tar: string): TarOutcome {
  const target = tempDir(context);
  const env = { ...process.env, LC_ALL: 'C.UTF-8', PYTHONWARNINGS: 'ignore::DeprecationWarning' };
  const runs = [list?.(tar), unpack(tar, target)].map((args) =>
    args === undefined
      ? undefined
      : spawnSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  const [listed, unpacked] = runs;
  const code = unpacked!.status ?? -1;
  return {
    codes: list === undefined ? [code & 1, code & 2] : [listed!.status, code],
    said: (listed?.stderr ?? '') + unpacked!.stderr,
    tree: readTree(target),
  };
}
