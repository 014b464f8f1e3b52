/** What deploy/ holds is what Kubernetes takes, and fits the program. That Slurm takes it shows `.ci/slurm`. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Job } from 'kubernetes-models/batch/v1';
import { ConfigMap } from 'kubernetes-models/v1';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { file, noise } from '../helpers/archive-bytes.js';
import { PROGRAM } from '../helpers/cli.js';
import { EXIT } from '../helpers/outcome.js';
import { isRoot } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const NODE_NEXT = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
const MANIFESTS = fs.readdirSync(join(DEPLOY, 'kubernetes'));

type JobFields = NonNullable<ConstructorParameters<typeof Job>[0]>;

function documentsIn(name: string): Record<string, unknown>[] {
  const documents = parseAllDocuments(fs.readFileSync(join(DEPLOY, 'kubernetes', name), 'utf8'));
  return documents.map((document) => {
    assert.deepEqual([document.errors, document.warnings], [[], []], name);
    return document.toJS() as Record<string, unknown>;
  });
}

function jobIn(name: string): JobFields {
  return documentsIn(name).find(({ kind }) => kind === 'Job') as JobFields;
}

/** What was parsed once, by its path. */
const SOURCES = new Map<string, ts.SourceFile | undefined>();

/** The schemas take any field: which ones there are say the types made of them. @returns what the compiler says of others */
function misspelt(document: Record<string, unknown>): string | undefined {
  const name = join(DEPLOY, '..', 'test', 'docs', 'a-manifest.ts');
  const from = document['kind'] === 'Job' ? 'batch/v1' : 'v1';
  const text = `import type { I${String(document['kind'])} as Kind } from 'kubernetes-models/${from}';
    export const manifest: Kind = ${JSON.stringify(document)};`;
  const options = { strict: true, noEmit: true, skipLibCheck: true, types: [], ...NODE_NEXT };
  const plain = ts.createCompilerHost(options);
  const sourceOf = (path: string): ts.SourceFile | undefined => {
    if (!SOURCES.has(path)) SOURCES.set(path, plain.getSourceFile(path, ts.ScriptTarget.ES2022));
    return SOURCES.get(path);
  };
  const host: ts.CompilerHost = {
    ...plain,
    fileExists: (path) => path === name || plain.fileExists(path),
    readFile: (path) => (path === name ? text : plain.readFile(path)),
    getSourceFile: (path) => (path === name ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022) : sourceOf(path)),
  };
  const [problem] = ts.getPreEmitDiagnostics(ts.createProgram([name], options, host));
  return problem && ts.flattenDiagnosticMessageText(problem.messageText, '\n');
}

describe('the manifests for Kubernetes', () => {
  test('with a misspelt field would be found', () => {
    const [job] = documentsIn('verify-merge.yaml');
    const spec = { ...(job!['spec'] as object), backofLimit: 1 };
    assert.match(misspelt({ ...job, spec }) ?? '', /backofLimit.* does not exist/);
  });

  for (const name of MANIFESTS) {
    test(`${name} is what its schemas say`, () => {
      for (const document of documentsIn(name)) {
        const kind = document['kind'] as string;
        assert.ok(kind === 'Job' || kind === 'ConfigMap', kind);
        const model = kind === 'Job' ? new Job(document) : new ConfigMap(document);
        model.validate();
        assert.equal(misspelt(document), undefined);
      }
    });

    test(`${name} has no loose ends, and takes no more rights than it needs`, () => {
      const { spec } = jobIn(name);
      const pod = spec!.template.spec!;
      assert.deepEqual([pod.restartPolicy, pod.automountServiceAccountToken], ['Never', false]);
      assert.equal(pod.securityContext?.runAsNonRoot, true);
      const volumes = new Set(pod.volumes?.map((volume) => volume.name));
      for (const { command, volumeMounts = [], securityContext, resources, name: called } of pod.containers) {
        assert.deepEqual(new Set(volumeMounts.map((mount) => mount.name)), volumes);
        assert.ok(fs.existsSync(join(DEPLOY, command![0]!)), command![0]);
        const { readOnlyRootFilesystem, allowPrivilegeEscalation } = securityContext!;
        assert.deepEqual([readOnlyRootFilesystem, allowPrivilegeEscalation], [true, false]);
        assert.ok(resources?.requests !== undefined && resources.limits !== undefined);
        for (const { onExitCodes } of spec!.podFailurePolicy?.rules ?? []) {
          if (onExitCodes !== undefined) assert.equal(onExitCodes.containerName, called);
        }
      }
    });
  }

  test('the shards are as many as the pods', () => {
    const { spec } = jobIn('verify-shards.yaml');
    const env = spec!.template.spec!.containers[0]!.env;
    assert.deepEqual(
      [spec!.completionMode, spec!.parallelism, env?.find(({ name }) => name === 'SHARDS')?.value],
      ['Indexed', spec!.completions, String(spec!.completions)],
    );
    const results = ['verify-shards.yaml', 'verify-merge.yaml'].map(
      (name) => jobIn(name).spec!.template.spec!.containers[0]!.args,
    );
    assert.deepEqual(results[0], results[1]);
  });

  test('a fleet is as many as its list has lines', () => {
    const [list] = documentsIn('verify-fleet.yaml');
    const lines = (list!['data'] as { list: string }).list.trimEnd().split('\n');
    assert.equal(jobIn('verify-fleet.yaml').spec!.completions, lines.length);
  });

  test('the image has all that they call', () => {
    const image = fs.readFileSync(join(DEPLOY, 'Containerfile'), 'utf8');
    for (const name of MANIFESTS) {
      const [command] = jobIn(name).spec!.template.spec!.containers[0]!.command!;
      assert.match(image, new RegExp(`^COPY .*deploy/${command!}\\b.* /usr/local/bin/$`, 'm'));
    }
  });

  test('the image is built: npm packs into a folder that is there', () => {
    const image = fs.readFileSync(join(DEPLOY, 'Containerfile'), 'utf8');
    assert.match(image, /^RUN mkdir (\S+) && .*--pack-destination \1$/m);
  });
});

describe('the commands that they call', () => {
  /** A PATH with the program in it. */
  function pathWith(context: TestContext): string {
    const bin = tempDir(context);
    fs.symlinkSync(PROGRAM, join(bin, 'tsxbstream'));
    return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
  }

  test('as an Indexed Job calls them, end in the verdict of one run', (context) => {
    const directory = tempDir(context);
    const env = { ...process.env, PATH: pathWith(context), SHARDS: '3', NO_COLOR: '1' };
    for (const [name, code] of [
      ['sound', EXIT.ok],
      ['damaged', EXIT.damaged],
    ] as const) {
      const archive = join(directory, name);
      const bytes = file('a', noise(50_000), 1000);
      if (name === 'damaged') bytes[30_000]! ^= 1;
      fs.writeFileSync(archive, bytes);
      const results = join(directory, `results of ${name}`);
      for (const index of ['0', '1', '2']) {
        execFileSync(join(DEPLOY, 'verify-shard'), [archive, results], {
          env: { ...env, JOB_COMPLETION_INDEX: index },
          stdio: 'pipe',
        });
      }
      assert.deepEqual(fs.readdirSync(results).sort(), ['1-of-3.jsonl', '2-of-3.jsonl', '3-of-3.jsonl']);
      const { status, stdout } = spawnSync(join(DEPLOY, 'verify-merge'), [archive, results], { env, encoding: 'utf8' });
      assert.equal(status, code);
      assert.ok(stdout.includes(`${archive} is ${code === EXIT.ok ? '' : 'NOT '}whole`), stdout);
    }
    const missing = spawnSync(join(DEPLOY, 'verify-shard'), [join(directory, 'none'), join(directory, 'nothing')], {
      env: { ...env, JOB_COMPLETION_INDEX: '0' },
    });
    assert.equal(missing.status, EXIT.refused);
    assert.deepEqual(fs.readdirSync(join(directory, 'nothing')), []);
  });

  test('one archive of a list', (context) => {
    const directory = tempDir(context);
    const env = { ...process.env, PATH: pathWith(context) };
    const list = join(directory, 'list');
    fs.writeFileSync(join(directory, 'b'), file('a', noise(500)));
    fs.writeFileSync(list, `${join(directory, 'a')}\n${join(directory, 'b')}\n`);
    const codes = ['0', '1', '2'].map((index) => {
      const { status } = spawnSync(join(DEPLOY, 'verify-each'), [list, join(directory, 'results'), '--backup=never'], {
        env: { ...env, JOB_COMPLETION_INDEX: index },
      });
      return status;
    });
    assert.deepEqual(codes, [EXIT.refused, EXIT.ok, EXIT.usage]);
    assert.deepEqual(fs.readdirSync(join(directory, 'results')).sort(), ['1.jsonl', '2.jsonl']);
  });

  /** A PATH with a Slurm that does the tasks of an array at once, but for one that is cancelled. */
  function pathWithSlurm(context: TestContext, cancelled: string): string {
    const bin = tempDir(context);
    const sbatch = `#!/bin/sh
for word; do case $word in --array=1-*) last=\${word##*-} ;; esac; done
while case $1 in --*) true ;; *) false ;; esac; do shift; done
highest=0
for task in $(seq $last); do
  [ $task = ${cancelled} ] || SLURM_ARRAY_TASK_ID=$task "$@" || highest=$?
done
exit $highest
`;
    fs.writeFileSync(join(bin, 'sbatch'), sbatch, { mode: 0o755 });
    return `${bin}${delimiter}${pathWith(context)}`;
  }

  /** Has a fleet of two archives verified, one of which is in the last line of a list that nothing ends. */
  function fleetOf(context: TestContext, second: Buffer, cancelled = 'none'): { status: number | null; said: string } {
    const directory = tempDir(context);
    const [a, b, list] = [join(directory, 'a'), join(directory, 'b'), join(directory, 'list')];
    fs.writeFileSync(a, file('a', noise(500)));
    fs.writeFileSync(b, second);
    fs.writeFileSync(list, `${a}\n${b}`);
    const { status, stderr } = spawnSync(join(DEPLOY, 'slurm/verify-fleet'), [list, join(directory, 'results')], {
      env: { ...process.env, PATH: pathWithSlurm(context, cancelled) },
      encoding: 'utf8',
    });
    return { status, said: stderr.replaceAll(`${directory}/`, '') };
  }

  test('a fleet: the last archive of a list is verified also where its line has no end', (context) => {
    assert.equal(fleetOf(context, file('b', noise(500)).subarray(0, 300)).status, EXIT.incomplete);
    assert.equal(fleetOf(context, file('b', noise(500))).status, EXIT.ok);
  });

  test('a fleet: what was cancelled before it began is no success', (context) => {
    const { status, said } = fleetOf(context, file('b', noise(500)), '2');
    assert.notEqual(status, EXIT.ok);
    assert.match(said, /^no verdict: b \(line 2 of list\)$/m);
  });

  test('two at work at one shard, each process 1 of a container, do not write into one file', (context) => {
    if (!isRoot(context)) return;
    const args = ['--pid', '--fork', join(DEPLOY, 'verify-shard'), 'archive'];
    const bin = tempDir(context);
    const results = join(bin, 'results');
    // The second one does all of its work in the middle of the first one's.
    const program = `#!/bin/sh
echo "begin of $AT_WORK"
if [ "$AT_WORK" = first ]; then AT_WORK=second unshare ${args.join(' ')} "${results}"; fi
echo "end of $AT_WORK"
`;
    fs.writeFileSync(join(bin, 'tsxbstream'), program, { mode: 0o755 });
    const { status } = spawnSync('unshare', [...args, results], {
      env: {
        ...process.env,
        ...{ PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, SHARD: '1', SHARDS: '2', AT_WORK: 'first' },
      },
    });
    assert.equal(status, EXIT.ok);
    assert.deepEqual(fs.readdirSync(results), ['1-of-2.jsonl']);
    assert.equal(fs.readFileSync(join(results, '1-of-2.jsonl'), 'utf8'), 'begin of first\nend of first\n');
  });
});
