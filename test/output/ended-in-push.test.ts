import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { tempDir } from '../helpers/temp.js';

const READ_BYTES = 64 * 1024;
const FILES = 150;
const FILE_BYTES = 400;

test('a thread that is ended while it takes what a pipe has sent leaves no file of what came behind that', async (context) => {
  for (let time = 0; time < 5; time += 1) {
    const directory = tempDir(context);
    const target = join(directory, 'target');
    fs.mkdirSync(target);
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const content = join(directory, 'content');
    fs.writeFileSync(content, Buffer.concat([Buffer.alloc(READ_BYTES, 'a'), Buffer.alloc(16 * READ_BYTES, 'b')]));
    const fd = fs.openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const sender = spawn('sh', ['-c', 'cat "$0" > "$1"', content, fifo], { stdio: 'ignore' });
    // A read is to find the pipe full.
    await passed(100);
    const worker = new Worker(new URL('../helpers/ended-in-push.js', import.meta.url), {
      workerData: { fd, target, files: FILES, fileBytes: FILE_BYTES },
      trackUnmanagedFds: false,
    });
    await once(worker, 'exit');
    sender.kill();
    const names = fs.readdirSync(target).filter((name) => name.startsWith('f') && name !== 'first');
    for (const name of names) {
      assert.equal(fs.readFileSync(join(target, name), 'latin1'), 'a'.repeat(FILE_BYTES), name);
    }
  }
});
