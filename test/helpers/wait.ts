import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is true; for what another process does. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries += 1) {
    assert.ok(tries < 12_000, `in vain: ${what}`);
    await sleep(10);
  }
}

/** Waits until a process has a file or directory open. */
export function untilOpen(pid: number, path: string): Promise<void> {
  const real = fs.realpathSync(path);
  const isIt = (fd: string): boolean => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === real;
    } catch {
      return false; // it is closed by now
    }
  };
  return until(`${path} is opened`, () => fs.readdirSync(`/proc/${pid}/fd`).some(isIt));
}

export function untilExists(path: string): Promise<void> {
  return until(`${path} comes`, () => fs.existsSync(path));
}

/** Waits until the program hears signals. (Node has a handler of its own for all of them but this one.) */
export function untilListening(pid: number): Promise<void> {
  const bit = 1n << BigInt(constants.signals.SIGHUP - 1);
  return until('signals are heard', () => {
    const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
    return (BigInt(`0x${caught?.[1] ?? '0'}`) & bit) !== 0n;
  });
}

/**
 * So long, in milliseconds, what ends at once may take on a machine that has other things to do. What waits for something that
 * never comes takes longer than any test.
 */
export const SOON_MS = 20_000;
