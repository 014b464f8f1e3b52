/** On what, and with what, the figures were taken. */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/** @returns the machine, as far as it bears on the figures */
export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    loadAverage: Math.round((os.loadavg()[0] ?? 0) * 100) / 100,
  };
}

/**
 * @param {string[]} ours
 * @param {string[]} peer
 */
export function describeVersions(ours, peer) {
  const commit = firstLine('git', ['-C', PROJECT, 'rev-parse', '--short=12', 'HEAD']);
  const isChanged = firstLine('git', ['-C', PROJECT, 'status', '--porcelain']) !== undefined;
  const [peerProgram = '', ...peerArguments] = peer;
  const peerPackage = firstLine('dpkg-query', ['-W', '-f', '${Package} ${Version}', 'mariadb-backup']);
  return {
    node: process.version,
    ours: ours.join(' '),
    commit: commit === undefined ? 'unknown' : `${commit}${isChanged ? ', with changes' : ''}`,
    peer: peer.join(' '),
    peerVersion:
      (peer.join(' ') === 'mbstream' ? peerPackage : undefined) ??
      firstLine(peerProgram, [...peerArguments, '--version']) ??
      'unknown',
  };
}

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {string | undefined} the first line it prints, or undefined when it fails or prints nothing
 */
function firstLine(program, args) {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout.split('\n')[0] || undefined : undefined;
}
