/**
 * Loaded by the program before its own modules, in each of its threads (`--import`): counts what it asks of the system and
 * what its threads say to each other, and has one of these calls go wrong, or last. Production code knows nothing of it.
 * Plain JavaScript, since no loader is there.
 *
 * BEND: `{ at, how, log, target }` as JSON. `at`: which call of the process, from 1 on; `how`: a code of the system's, `short`, or
 * what {@link befall} knows; `log`: where to say what was called (`.calls`) and what was bent (`.bent`).
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import {
  getEnvironmentData,
  isMainThread,
  MessagePort,
  parentPort,
  setEnvironmentData,
  Worker,
} from 'node:worker_threads';

const { at, how, log, target } = JSON.parse(process.env.BEND ?? '{}');
/** Longer than every time limit of the program: those of a run that was told to stop are the longest, with 0.8 s. */
const STALL_MS = 1300;
const CALLS_MAX = 2 ** 20;

/** How often each kind of call can be bent, by what. */
const FAILS = ['EIO', 'ENOSPC', 'EINTR', 'EAGAIN', 'EDQUOT', 'ESTALE'];
const KINDS = ['read', 'write', 'other', 'pipe', 'sent', 'heard'];

const SYNC_CALLS = {
  read: ['readSync', 'readFileSync'],
  write: ['writeSync', 'writevSync', 'writeFileSync'],
  other: [
    ...['openSync', 'closeSync', 'linkSync', 'unlinkSync', 'renameSync', 'mkdirSync', 'ftruncateSync', 'fsyncSync'],
    ...['statSync', 'lstatSync', 'fstatSync', 'statfsSync', 'readdirSync', 'readlinkSync', 'accessSync', 'existsSync'],
    ...['fchownSync', 'lchownSync', 'fchmodSync', 'realpathSync'],
  ],
};
const ASYNC_CALLS = { read: ['read'], write: ['write'], other: ['open', 'close'] };
const PROMISED_CALLS = ['readdir', 'stat', 'lstat', 'realpath', 'opendir'];

const { appendFileSync, chmodSync, readdirSync, readlinkSync, writeFileSync } = fs;
const { wait } = Atomics;
const nap = new Int32Array(new SharedArrayBuffer(4));

/** What all threads of the process share: how many calls there were, and the kind of each. */
function sharedState() {
  const known = getEnvironmentData('bent calls');
  if (known !== undefined) return known;
  const made = new SharedArrayBuffer(4 + CALLS_MAX);
  setEnvironmentData('bent calls', made);
  return made;
}

const state = sharedState();
const count = new Int32Array(state, 0, 1);
const kinds = new Uint8Array(state, 4);

/** Whether a call comes from the program itself, and not from Node or a package. */
function isOurs(wrapper) {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 8;
  const holder = {};
  Error.captureStackTrace(holder, wrapper);
  Error.stackTraceLimit = stackTraceLimit;
  const frames = holder.stack.split('\n').slice(1);
  const caller = frames.find((frame) => !/node:internal\/util|new Promise|node:events/.test(frame));
  return caller?.includes('/dist/program/') === true;
}

/** @returns whether this is the one */
function counted(kind, name, words) {
  const number = Atomics.add(count, 0, 1) + 1;
  if (number < CALLS_MAX) kinds[number] = KINDS.indexOf(kind) + 1;
  if (number !== at || !canBend(kind)) return false;
  const thread = isMainThread ? 'main' : basename(process.argv[1] ?? '');
  appendFileSync(`${log}.bent`, `${JSON.stringify({ number, how, kind, name, thread, object: objectOf(words) })}\n`);
  return true;
}

function canBend(kind) {
  if (how === 'short') return kind === 'read' || kind === 'write';
  if (FAILS.includes(how)) return kind !== 'heard' && kind !== 'sent';
  // The main thread is the process.
  if (how === 'exit' || how === 'memory') return !isMainThread;
  return true;
}

function objectOf([first]) {
  if (typeof first === 'string') return first;
  if (Buffer.isBuffer(first)) return first.toString('latin1');
  if (typeof first !== 'number') return '';
  try {
    return readlinkSync(`/proc/self/fd/${first}`);
  } catch {
    return `descriptor ${first}`;
  }
}

/** As Node tells what the system has refused; some codes it does not know. */
function refusal(syscall, path) {
  const errno = -constants.errno[how];
  const [code, text] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
  const error = new Error(`${code}: ${text}, ${syscall}`);
  return Object.assign(error, { errno, code, syscall }, typeof path === 'string' ? { path } : {});
}

/** Ends the thread as V8 does when there is no more: with `--max-old-space-size` that is soon. */
function fillMemory() {
  const kept = [];
  for (;;) kept.push(new Array(1000).fill({ number: kept.length }));
}

/**
 * What befalls whoever makes the call: it lasts (`stall`), the process is told to stop meanwhile (`stop`) or killed (`kill`), the
 * thread ends without a word (`exit`), by an exception (`throw`), or for want of memory (`memory`); or nobody may write to the
 * target any more (`forbid`).
 */
function befall() {
  if (how === 'forbid') forbid(target);
  if (how === 'stop') process.kill(process.pid, 'SIGTERM');
  if (how === 'stall' || how === 'stop') wait(nap, 0, 0, STALL_MS);
  if (how === 'kill') {
    process.kill(process.pid, 'SIGKILL');
    wait(nap, 0, 0);
  }
  if (how === 'exit') process.exit(7);
  if (how === 'throw') throw new TypeError('bent by a test');
  if (how === 'memory') fillMemory();
}

/** Takes away the right to write to a directory and all below it. */
function forbid(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) forbid(`${directory}/${entry.name}`);
  }
  chmodSync(directory, 0o500);
}

/** The same words for a call that takes less than it is given. */
function shortened(name, words) {
  if (name === 'writevSync') return [words[0], [words[1][0].subarray(0, Math.ceil(words[1][0].length / 2))]];
  const copy = [...words];
  if (typeof words[3] === 'number' && words[3] > 1) copy[3] = Math.ceil(words[3] / 2);
  return copy;
}

function copyProperties(to, from) {
  return Object.defineProperties(to, Object.getOwnPropertyDescriptors(from));
}

function bentSync(kind, name, call) {
  const wrapper = (...words) => {
    if (!isOurs(wrapper) || !counted(kind, name, words)) return call(...words);
    if (how === 'short') return call(...shortened(name, words));
    if (!FAILS.includes(how)) {
      befall();
      return call(...words);
    }
    // Linux closes it all the same: what a file server has refused to write is told only now.
    if (name === 'closeSync') call(...words);
    if (name === 'existsSync') return false;
    throw refusal(name.replace('Sync', ''), words[0]);
  };
  return copyProperties(wrapper, call);
}

function bendAsync(kind, name) {
  const call = fs[name];
  const wrapper = (...words) => {
    if (!isOurs(wrapper) || !counted(kind, name, words)) return call(...words);
    if (how === 'short') return call(...shortened(name, words));
    if (!FAILS.includes(how)) {
      befall();
      return call(...words);
    }
    const done = words.at(-1);
    const error = refusal(name, words[0]);
    if (name === 'close') return call(words[0], () => done(error));
    setTimeout(() => done(error));
  };
  fs[name] = copyProperties(wrapper, call);
}

function bendPromised(name) {
  const call = fs.promises[name];
  const wrapper = async (...words) => {
    if (isOurs(wrapper) && counted('other', name, words)) {
      if (FAILS.includes(how)) throw refusal(name, words[0]);
      befall();
    }
    return call(...words);
  };
  fs.promises[name] = copyProperties(wrapper, call);
}

/** Reads of a pipe, which Node makes by itself. */
const PlainSocket = net.Socket;
class BentSocket extends PlainSocket {
  constructor(options) {
    const { onread } = options ?? {};
    if (onread === undefined) {
      super(options);
      return;
    }
    const callback = (...words) => {
      if (!counted('pipe', 'read of a pipe', [options.fd])) return onread.callback(...words);
      if (FAILS.includes(how)) {
        this.destroy(refusal('read'));
        return false;
      }
      befall();
      return onread.callback(...words);
    };
    super({ ...options, onread: { ...onread, callback } });
  }
}

function bendSent(prototype) {
  const { postMessage } = prototype;
  const wrapper = function (...words) {
    if (isOurs(wrapper) && counted('sent', 'postMessage', [])) befall();
    return postMessage.apply(this, words);
  };
  prototype.postMessage = wrapper;
}

/** Messages that a thread of the program hears. */
function bendHeard() {
  for (const name of ['on', 'once']) {
    const method = parentPort[name];
    parentPort[name] = function (event, listener) {
      if (event !== 'message') return method.call(this, event, listener);
      return method.call(this, event, (...words) => {
        if (counted('heard', 'message', [])) befall();
        return listener(...words);
      });
    };
  }
}

if (log !== undefined) {
  for (const [kind, names] of Object.entries(SYNC_CALLS))
    for (const name of names) fs[name] = bentSync(kind, name, fs[name]);
  for (const [kind, names] of Object.entries(ASYNC_CALLS)) for (const name of names) bendAsync(kind, name);
  for (const name of PROMISED_CALLS) bendPromised(name);
  fs.realpathSync.native = bentSync('other', 'realpathSync', fs.realpathSync.native);
  net.Socket = BentSocket;
  syncBuiltinESMExports();
  bendSent(Worker.prototype);
  bendSent(MessagePort.prototype);
  if (parentPort !== null) bendHeard();
  if (isMainThread && at === 0) {
    process.on('exit', () => {
      const letters = Array.from(kinds.subarray(1, count[0] + 1), (number) => KINDS[number - 1]);
      writeFileSync(`${log}.calls`, letters.join('\n'));
    });
  }
}
