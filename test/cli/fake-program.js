/**
 * The program with a verb that only pretends: it tells the reporter what the scenario in `SCENARIO` says. For what can only
 * be seen from outside a process: signals, closed pipes, exit codes, a real terminal. Plain JavaScript: a loader would take longer
 * than what most of these do.
 */
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { rawPath } from '../../dist/format/stored-path.js';
import { main } from '../../dist/cli/main.js';
import { XbstreamError } from '../../dist/errors.js';

const MIB = 1024 * 1024;

function summary(options, facts = {}) {
  return {
    ok: true,
    files: 2,
    bytes: 3 * MIB,
    archiveBytes: 3 * MIB + 500,
    elapsedSeconds: 1.5,
    target: options.target,
    dryRun: options.dryRun,
    keptFiles: 0,
    digests: Object.fromEntries(options.digests.map((name) => [name, 'c0ffee'])),
    archiveName: options.input.kind === 'path' ? options.input.path : '-',
    ...facts,
  };
}

async function aborted(signal) {
  // Something must keep the process alive, as a real verb's thread does.
  const alive = setInterval(() => undefined, 1000);
  await new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(alive);
}

/** Each gets options, a reporter and a signal, and gives a summary, or errors. */
const SCENARIOS = {
  async ok(options, reporter) {
    reporter.file({ path: 'db1/t1.ibd', bytes: MIB });
    reporter.file({ path: rawPath('db1/t2.ibd'), bytes: 2 * MIB });
    return Promise.resolve(summary(options));
  },

  async damaged(options, reporter) {
    reporter.file({ path: 'db1/t1.ibd', bytes: MIB });
    reporter.extracted(summary(options, { ok: false, files: 1, bytes: MIB, digests: {} }));
    return Promise.reject(
      new XbstreamError('XB_BAD_CRC', 'checksum mismatch in db1/t2.ibd', {
        path: rawPath('db1/t2.ibd'),
        archiveOffset: 1048700,
        details: ['expected crc32 8d1f32aa, found 17c0e9b2'],
        partial: 'db1/.t2.ibd.partial',
      }),
    );
  },

  /** Several errors, the lesser ones told first. */
  async several() {
    return Promise.resolve([
      new XbstreamError('XB_MISSING_EOF', 'db1/t1.ibd is incomplete'),
      new XbstreamError('XB_IO', 'cannot create db1/t2.ibd'),
      new XbstreamError('XB_BAD_CRC', 'checksum mismatch in db1/t3.ibd'),
    ]);
  },

  /** Goes on after an error, to the end. */
  async goesOn() {
    return Promise.resolve([new XbstreamError('XB_MISSING_EOF', 'db1/t1.ibd is incomplete')]);
  },

  /** Waits until it is asked to stop, and says what it has left. */
  async wait(_options, reporter, signal) {
    reporter.warning('waiting');
    await aborted(signal);
    reporter.warning('unfinished files were left: db1/.t1.ibd.partial');
    throw signal.reason;
  },

  /** Does not hear that it is to stop. */
  async deaf(_options, reporter) {
    reporter.warning('waiting');
    await sleep(60_000);
    return [];
  },

  async bug() {
    await sleep(1);
    throw new TypeError('cannot read\u001b[31m this');
  },

  async uncaught() {
    setTimeout(() => {
      throw new TypeError('out of nowhere');
    }, 1);
    await sleep(60_000);
    return [];
  },

  /** Names files until it is asked to stop. */
  async flood(_options, reporter, signal) {
    for (let number = 0; !signal.aborted; number += 1) {
      reporter.file({ path: `db1/table-${number}.ibd`, bytes: MIB });
      if (number % 100 === 0) await sleep(1);
    }
    throw signal.reason;
  },

  /** Takes `SECONDS`, reading `TOTAL` MiB where that is given; a file every 300 ms and a warning on the way. */
  async slow(options, reporter, signal) {
    const seconds = Number(process.env['SECONDS'] ?? 3);
    const totalMib = Number(process.env['TOTAL'] ?? 0);
    const steps = seconds * 10;
    for (let step = 1; step <= steps && !signal.aborted; step += 1) {
      await sleep(100);
      const bytes = Math.round(((totalMib === 0 ? 300 : totalMib) * MIB * step) / steps);
      reporter.progress({ bytes, totalBytes: totalMib === 0 ? undefined : totalMib * MIB });
      if (step % 3 === 0) reporter.file({ path: `db1/table-${step}.ibd`, bytes: MIB });
      if (step === Math.floor(steps / 2)) reporter.warning('half of it is done');
    }
    signal.throwIfAborted();
    return summary(options);
  },
};

const scenario = SCENARIOS[process.env['SCENARIO'] ?? 'ok'];
if (scenario === undefined) throw new Error('no such scenario');
process.exitCode = await main(process, (run, { options }) => ({
  ...run,
  work: async ({ signal }) => {
    const found = await scenario(options, run.reporter, signal);
    const problems = Array.isArray(found) ? found : [];
    return { summary: Array.isArray(found) ? undefined : found, problems, stopped: false };
  },
}));
