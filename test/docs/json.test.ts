/** What verbs print with --json is what docs/json.schema.json says, and nothing else. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { archive, end, file, payload, remove, rename } from '../helpers/archive-bytes.js';
import { run, start, type RunOptions } from '../helpers/cli.js';
import { damagedArchive } from '../helpers/damaged-archives.js';
import { fixture, fixturePath } from '../helpers/fixtures.js';
import { openPipe } from '../helpers/pipes.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { reportPath } from '../helpers/report-input.js';
import { tempDir } from '../helpers/temp.js';
import { tenDamages } from '../helpers/ten-damages.js';

type Line = Record<string, unknown> & { type: string };

/** The schema, but with no place for fields that it does not know. */
function strictSchema(): AnySchemaObject {
  const text = fs.readFileSync(new URL('../../docs/json.schema.json', import.meta.url), 'utf8');
  const closed = (_name: string, value: unknown): unknown => {
    const isRecord = typeof value === 'object' && value !== null && 'properties' in value && 'required' in value;
    return isRecord ? { ...value, additionalProperties: false } : value;
  };
  return JSON.parse(text, closed) as AnySchemaObject;
}

const schema = strictSchema();
const ajv = new Ajv2020({ strict: true, allErrors: true });
ajv.addSchema(schema);
const VERBS = ['extract', 'list', 'verify', 'info', 'index', 'report', 'create', 'convert-to-tar', 'decode'] as const;
type Verb = (typeof VERBS)[number];

function validator(verb: Verb): ValidateFunction {
  return ajv.getSchema(`${String(schema['$id'])}#/$defs/verbs/${verb}`)!;
}

/** Record types, and fields of them, that were seen in any run. */
const seen = new Set<string>();

/** Runs a verb, and holds each line that it prints against the schema. */
async function told(verb: Verb, words: readonly string[], options: RunOptions = {}): Promise<Line[]> {
  const { code, signal, stdout, stderr } = await run([verb, '--json', ...words], options);
  return checked(verb, stdout, code === 0, `${verb} ${words.join(' ')} (${String(code ?? signal)}): ${stderr}`);
}

function checked(verb: Verb, stdout: string, isGood: boolean, story: string): Line[] {
  assert.ok(stdout.endsWith('\n'), story);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const validate = validator(verb);
  for (const line of lines) {
    assert.ok(validate(line), `${story}\n${JSON.stringify(line)}\n${ajv.errorsText(validate.errors)}`);
    for (const [field, value] of Object.entries(line)) {
      seen.add(`${line.type}.${field}`);
      const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
      for (const part of parts) {
        if (typeof part === 'object' && part !== null)
          for (const name of Object.keys(part)) seen.add(`${field}.${name}`);
      }
    }
  }
  const isSummary = ({ type }: Line): boolean => type === 'summary' || type === 'info';
  const last = lines.at(-1)!;
  assert.deepEqual(lines.filter(isSummary), [last], `the summary, once, as the last line: ${story}`);
  assert.equal(last['ok'], isGood, story);
  assert.ok(Number.isSafeInteger(last['archiveBytes']) && typeof last['elapsedSeconds'] === 'number', story);
  return lines;
}

describe('JSON lines are those of the schema', { concurrency: 2 }, () => {
  const cleanups: (() => void)[] = [];
  let folder = '';
  let count = 0;
  before(() => {
    folder = tempDir({ after: (work) => cleanups.push(work) });
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  const fresh = (): string => join(folder, String((count += 1)));
  const stored = (bytes: Buffer): string => {
    const path = fresh();
    fs.writeFileSync(path, bytes);
    return path;
  };
  /** Every verb that reads an archive; of several archives a sample takes some of the verbs each. */
  const readAll = async (path: string, turn: number, bytes = fs.statSync(path).size): Promise<void> => {
    const calls = [
      ['list', ['-v', path]],
      ['info', [path]],
      ['verify', [path]],
      ['report', [path, '-o', fresh()]],
      ['extract', [path, '-C', fresh()]],
      ['extract', ['--keep-going', path, '-C', fresh()]],
      ['convert-to-tar', [path, '-o', fresh()]],
      ['index', ['--progress=always', path, '-o', fresh()]],
    ] as const;
    for (const [verb, words] of sampled(calls, 4, turn % 4)) {
      const last = (await told(verb, words)).at(-1)!;
      if (last['ok'] === true) assert.equal(last['archiveBytes'], bytes, `${verb} ${path}`);
    }
  };

  for (const [turn, name] of ['percona/base-zstd-AES256', 'mariadb/tiny-full-compress-qp'].entries()) {
    test(`of ${name}`, () => readAll(stored(fixture(name).bytes), turn));
  }

  for (const [turn, name] of ['06-partial-backup', '11-absolute-xtrabackup_info'].entries()) {
    test(`of ${name}`, () => readAll(reportPath(`${name}.xbstream`), turn + 2));
  }

  test('of a backup that tells all there is to tell', async () => {
    const info = [
      ...['tool_name = mariadb-backup', 'server_version = 10.11.6-MariaDB', 'server_flavor = MariaDB Server'],
      ...['name = nightly', "binlog_pos = filename 'binlog.000007', position '1234', GTID of the last change '0-1-99'"],
    ];
    const bytes = archive(
      file('ibdata1', 'x'),
      file('backup-my.cnf', '[mariadbd]\nplugin_load=file_key_management\nfile_key_management_filename=/keys\n'),
      file('xtrabackup_checkpoints', 'backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 5\nlast_lsn = 6\n'),
      file('xtrabackup_binlog_info', 'binlog.000007\t1234\t0-1-99\n'),
      file('xtrabackup_info', `${info.join('\n')}\n`),
    );
    const last = (await told('info', [stored(bytes)])).at(-1)!;
    assert.deepEqual([last['gtid'], last['name'], last['ok']], ['0-1-99', 'nightly', true]);
  });

  test('of archives with damage of every kind', async () => {
    const cut = archive(file('a', 'A'), payload('t\xfc', 0, 'B'));
    const archives: readonly (readonly [bytes: Buffer, turns: readonly number[]])[] = [
      [tenDamages().bytes, [0]],
      [damagedArchive(1).bytes, [1]],
      [cut, [0, 1, 2]],
      [Buffer.from('[mysqld]\ndatadir=/var/lib/mysql\n'), [1]],
      [Buffer.alloc(0), [1]],
    ];
    for (const [bytes, turns] of archives) for (const turn of SOAK ? [0] : turns) await readAll(stored(bytes), turn);
  });

  test('of names that are no text, and of corrections', async () => {
    const bytes = archive(file('x\xff', 'x'), file('y', 'y'), rename('y', 'z\xfe'), remove('gone\xfd'), end('e'));
    for (const turn of SOAK ? [0] : [0, 2]) await readAll(stored(bytes), turn);
    const target = fresh();
    fs.mkdirSync(target);
    fs.writeFileSync(join(target, 'x'), '');
    await told('extract', ['--keep-going', '-C', target], {
      stdin: { kind: 'pipe', bytes: archive(bytes, end('q/\xff')) },
    });
  });

  test('of an input that cannot be opened the summary is the last line, too', async () => {
    for (const [turn, path] of [join(folder, 'nothing'), folder].entries()) await readAll(path, turn, 0);
    await told('create', [join(folder, 'nothing'), '-o', fresh()]);
    await told('create', ['--from-tar', join(folder, 'nothing'), '-o', fresh()]);
  });

  test('of command lines that cannot be followed', async () => {
    for (const [turn, verb] of sampled([...VERBS.entries()], 2)) {
      for (const words of sampled([['--nope'], ['--progress=perhaps'], ['-q', '-v', 'archive']], 3, turn % 3)) {
        const [error, ...others] = await told(verb, words);
        assert.deepEqual([error!['code'], others.length], ['XB_USAGE', 1], `${verb} ${words.join(' ')}`);
      }
    }
    const short = fixturePath('percona/base-zstd-AES256');
    for (const words of [['-f', join(folder, 'no-key')], ['--encrypt-key=short'], ['--decrypt=AES128']]) {
      await told('extract', [...words, short, '-C', fresh()]);
    }
  });

  test('of keys, digests, a dry run, kept files, progress and patterns that match nothing', async () => {
    const name = 'percona/base-zstd-AES256';
    const path = fixturePath(name);
    const key = path.replace(/base.*/, 'key.AES256');
    const target = fresh();
    await told('extract', ['--decompress', path, '-C', fresh()]);
    await told('extract', ['--decompress', '-f', key, '--digest=sha1,md5', '--progress=always', path, '-C', target]);
    await told('extract', ['--decompress', '-f', key, '--skip-existing', path, '-C', target]);
    await told('extract', ['--dry-run', path, '-C', fresh()]);
    await told('extract', [path, 'nothing*', '-C', fresh()]);
    await told('list', ['--progress=always', '--sort=size', path, 'nothing*']);
    await told('verify', ['--deep', '--digest=sha256', path]);
    await told('verify', ['--deep', '-f', key, '--progress=always', path]);
    await told('info', ['-f', key, path]);
    await told('info', ['--encrypt-key=0123456789abcdef', path]);
    const tar = fresh();
    await told('convert-to-tar', ['--decompress', '-f', key, '--progress=always', path, '-o', tar]);
    await told('create', ['--from-tar', tar, '--progress=always', '-o', fresh()]);
    const packed = fresh();
    const summary = (await told('create', ['-C', target, '.', '-o', packed])).at(-1)!;
    assert.equal(summary['archiveBytes'], fs.statSync(packed).size);
    await told('create', ['-C', target, '.', '-o', packed]);
    const encrypted = archive(file('a.xbcrypt', 'XBCRYP03'), file('b', 'B'));
    await told('extract', ['--decompress', '--allow-encrypted', '-C', fresh()], {
      stdin: { kind: 'pipe', bytes: encrypted },
    });
  });

  test('of files that are decoded where they lie', async () => {
    const path = fixturePath('percona/base-zstd-AES256');
    const target = fresh();
    await told('extract', [path, '-C', target]);
    await told('decode', [target]);
    await told('decode', ['--keep', '--progress=always', '-f', path.replace(/base.*/, 'key.AES256'), target]);
    await told('decode', ['-f', path.replace(/base.*/, 'key.AES256'), target]);
    await told('decode', [join(folder, 'nothing.zst')]);
  });

  test('of a run that a signal has ended', async () => {
    const { readFd, writeFd } = openPipe();
    const words = ['extract', '--json', '-C', fresh()];
    const { child, ended } = start(words, { stdin: { kind: 'open', stdio: readFd } });
    fs.closeSync(readFd);
    child.stdout!.once('data', () => child.kill('SIGINT'));
    fs.writeSync(writeFd, archive(file('whole', 'all of it'), payload('d/a', 0, 'the first half, ')));
    const { signal, stdout, stderr } = await ended;
    fs.closeSync(writeFd);
    assert.equal(signal, 'SIGINT');
    const [line] = checked('extract', stdout, false, stderr);
    assert.deepEqual(line, { type: 'file', path: 'whole', bytes: 9 });
  });
});

test('each type and field that the schema knows was seen', () => {
  const known = new Set<string>();
  const definitions = schema['$defs'] as Record<string, { properties?: Record<string, { const?: string }> }>;
  for (const { properties = {} } of Object.values(definitions)) {
    const type = properties['type']?.const;
    if (type !== undefined) for (const field of Object.keys(properties)) known.add(`${type}.${field}`);
  }
  assert.deepEqual([...known].filter((field) => !seen.has(field)).sort(), []);
});
