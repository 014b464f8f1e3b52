/**
 * As much of Kubernetes' API as `kubectl apply`, `wait`, `logs` and `get` ask for to run Jobs (batch/v1). The pods of a Job are
 * run by `podman kube play`, as its template says; whether they are tried again says its pod failure policy. A claim is podman's volume
 * of the same name. One node, one namespace, nobody to please: for tests.
 *
 *     job-cluster.ts KUBECONFIG     writes that file when it listens
 */
import { execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json as bodyOf } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { IConfigMap, IPod } from 'kubernetes-models/v1';

type Kind = 'configmaps' | 'jobs' | 'pods';
type Stored = (IConfigMap | IJob | IPod) & { metadata: { name: string; labels?: Record<string, string> } };

const podman = (words: readonly string[]): Promise<{ stdout: string }> => promisify(execFile)('podman', words);
const stored: Readonly<Record<Kind, Map<string, Stored>>> = { configmaps: new Map(), jobs: new Map(), pods: new Map() };
const changes = new EventEmitter().setMaxListeners(0);
const folder = fs.mkdtempSync(join(tmpdir(), 'job-cluster-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

function put(kind: Kind, object: Stored): void {
  stored[kind].set(object.metadata.name, object);
  changes.emit(kind, object);
}

/** Runs a pod to its end. @returns the exit code of its one container */
async function runPod(job: IJob, name: string, index: number): Promise<number> {
  const { metadata, spec } = job.spec!.template;
  const labels = { ...metadata?.labels, 'job-name': job.metadata!.name! };
  const env = { name: 'JOB_COMPLETION_INDEX', value: String(index) };
  const isIndexed = job.spec!.completionMode === 'Indexed';
  const containers = spec!.containers.map((one) => ({
    ...one,
    env: [...(one.env ?? []), ...(isIndexed ? [env] : [])],
  }));
  const where = { name, namespace: 'default', labels };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: where, spec: { ...spec, containers } } as Stored & IPod;
  const file = join(folder, `${name}.json`);
  fs.writeFileSync(file, JSON.stringify(pod));
  const maps = [...stored.configmaps.values()].flatMap((map) => {
    const path = join(folder, `map-${map.metadata.name}.json`);
    fs.writeFileSync(path, JSON.stringify(map));
    return ['--configmap', path];
  });
  await podman(['kube', 'play', ...maps, file]);
  put('pods', { ...pod, status: { phase: 'Running' } });
  const { stdout } = await podman(['wait', `${name}-${spec!.containers[0]!.name}`]);
  const code = Number(stdout);
  put('pods', { ...pod, status: { phase: code === 0 ? 'Succeeded' : 'Failed' } });
  return code;
}

/** What the policy says of an exit code. */
function actionOn(job: IJob, code: number): string {
  const rule = job.spec!.podFailurePolicy?.rules.find(({ onExitCodes }) => {
    return onExitCodes !== undefined && onExitCodes.values.includes(code) === (onExitCodes.operator === 'In');
  });
  return rule?.action ?? 'Count';
}

/** One index of a Job, tried as often as it may be. @returns whether it succeeded */
async function runIndex(job: IJob, index: number): Promise<boolean> {
  const tries = 1 + (job.spec!.backoffLimitPerIndex ?? job.spec!.backoffLimit ?? 6);
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const code = await runPod(job, `${job.metadata!.name!}-${index}-${attempt}`, index);
    if (code === 0) return true;
    if (actionOn(job, code) !== 'Count') return false;
  }
  return false;
}

async function runJob(job: Stored & IJob): Promise<void> {
  const indices = Array.from({ length: job.spec!.completions ?? 1 }, (_, index) => index);
  const done: boolean[] = [];
  const lanes = Array.from({ length: job.spec!.parallelism ?? 1 }, async () => {
    for (let index = indices.shift(); index !== undefined; index = indices.shift())
      done.push(await runIndex(job, index));
  });
  await Promise.all(lanes);
  const type = done.every(Boolean) ? 'Complete' : 'Failed';
  const succeeded = done.filter(Boolean).length;
  put('jobs', { ...job, status: { succeeded, conditions: [{ type, status: 'True' }] } });
}

function answer(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const KINDS: Readonly<Record<Kind, { kind: string; apiVersion: string }>> = {
  configmaps: { kind: 'ConfigMap', apiVersion: 'v1' },
  jobs: { kind: 'Job', apiVersion: 'batch/v1' },
  pods: { kind: 'Pod', apiVersion: 'v1' },
};

/** What there is in a version of the API. */
function resourcesOf(groupVersion: string): object {
  const resources = Object.entries(KINDS)
    .filter(([, { apiVersion }]) => apiVersion === groupVersion)
    .map(([name, { kind }]) => ({ name, singularName: kind.toLowerCase(), kind, namespaced: true, verbs: VERBS }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

const VERBS = ['get', 'list', 'watch', 'create'];
const BATCH = { groupVersion: 'batch/v1', version: 'v1' };
/** What never changes, by its path. */
const API: Readonly<Record<string, object>> = {
  '/version': { major: '1', minor: '32', gitVersion: 'v1.32.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [{ name: 'batch', versions: [BATCH], preferredVersion: BATCH }],
  },
  '/api/v1': resourcesOf('v1'),
  '/apis/batch/v1': resourcesOf('batch/v1'),
};

/** Whether an object is asked for by `metadata.name=NAME` or by labels. */
function isSelected({ metadata }: Stored, query: URLSearchParams): boolean {
  const field = query.get('fieldSelector');
  const labels = query.get('labelSelector')?.split(',') ?? [];
  return (
    (field === null || field === `metadata.name=${metadata.name}`) &&
    labels.every((label) => label === `${label.split('=')[0]!}=${metadata.labels?.[label.split('=')[0]!] ?? ''}`)
  );
}

function watch(kind: Kind, query: URLSearchParams, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const tell = (object: Stored): void => {
    if (isSelected(object, query)) response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`);
  };
  // What has come to pass between the list and this.
  stored[kind].forEach(tell);
  changes.on(kind, tell);
  response.on('close', () => changes.off(kind, tell));
}

async function passLog(pod: Stored & IPod, response: ServerResponse): Promise<void> {
  const log = spawn('podman', ['logs', '--follow', `${pod.metadata.name}-${pod.spec!.containers[0]!.name}`]);
  response.writeHead(200, { 'content-type': 'text/plain' });
  log.stdout.pipe(response, { end: false });
  log.stderr.pipe(response, { end: false });
  await once(log, 'close');
  response.end();
}

async function create(kind: Kind, object: Stored, response: ServerResponse): Promise<void> {
  object.metadata = { ...object.metadata, namespace: 'default', uid: object.metadata.name };
  if (kind === 'jobs') (object as IJob).spec!.selector = { matchLabels: { 'job-name': object.metadata.name } };
  put(kind, object);
  answer(response, object, 201);
  if (kind === 'jobs') await runJob(object as Stored & IJob);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url!, 'http://cluster');
  if (pathname in API) {
    answer(response, API[pathname]!);
    return;
  }
  // An empty description of all kinds: kubectl then takes a manifest as it is. Its fields are checked elsewhere.
  if (pathname === '/openapi/v2') {
    response.writeHead(200, { 'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' });
    return void response.end();
  }
  const [, kind, name, part] =
    /\/namespaces\/default\/(configmaps|jobs|pods)(?:\/([^/]+))?(?:\/(log))?$/.exec(pathname) ?? [];
  const objects = stored[kind as Kind] as Map<string, Stored> | undefined;
  if (request.method === 'POST' && objects !== undefined) {
    return create(kind as Kind, (await bodyOf(request)) as Stored, response);
  }
  if (objects === undefined || (name !== undefined && !objects.has(name))) {
    answer(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }, 404);
    return;
  }
  if (part === 'log') return passLog(objects.get(name!) as Stored & IPod, response);
  if (name !== undefined) {
    answer(response, objects.get(name)!);
    return;
  }
  if (searchParams.has('watch')) {
    watch(kind as Kind, searchParams, response);
    return;
  }
  const items = [...objects.values()].filter((object) => isSelected(object, searchParams));
  const list = KINDS[kind as Kind];
  answer(response, { ...list, kind: `${list.kind}List`, metadata: { resourceVersion: '1' }, items });
}

const server = createServer((request, response) => void serve(request, response));
await once(server.listen(0, '127.0.0.1'), 'listening');
const kubeconfig = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'jobs', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } }],
  contexts: [{ name: 'jobs', context: { cluster: 'jobs' } }],
  'current-context': 'jobs',
};
fs.writeFileSync(process.argv[2]!, JSON.stringify(kubeconfig));
