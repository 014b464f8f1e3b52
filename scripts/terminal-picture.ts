/**
 * Makes docs/terminal.svg, the picture of a terminal in README: `npm run picture`. Each command is run on a terminal (by
 * script(1)), on a made-up backup of some size, and what it shows is drawn as it is. A test holds that it still shows that.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../', import.meta.url));
const COLUMNS = 100;
const MIB = 1024 * 1024;

/** What is in the backup, in bytes. */
const FILES: Readonly<Record<string, number>> = {
  'backup-my.cnf': 430,
  ibdata1: 76 * MIB,
  'shop/orders.ibd': 300 * MIB,
  'shop/items.ibd': 180 * MIB,
  'shop/customers.ibd': 90 * MIB,
  'crm/people.ibd': 40 * MIB,
  ib_logfile0: 2560,
  xtrabackup_info: 611,
};

/** A run of characters of one colour. */
interface Span {
  text: string;
  colour: string;
  isBold: boolean;
}
type Line = Span[];

/** The picture, of what is shown now. */
export async function picture(): Promise<string> {
  const folder = fs.mkdtempSync('/dev/shm/tsxbstream-picture-');
  try {
    makeBackup(join(folder, 'data'));
    fs.writeFileSync(join(folder, 'slow.mjs'), SLOW_READS);
    const env = environment(folder);
    await shown('tsxbstream create -q -C data . -o backup.xbstream', folder, env);
    fs.copyFileSync(join(folder, 'backup.xbstream'), join(folder, 'damaged.xbstream'));
    damage(join(folder, 'damaged.xbstream'));
    const lines: Line[] = [];
    for (const command of [
      'tsxbstream list backup.xbstream',
      'tsxbstream extract backup.xbstream -C restored',
      'tsxbstream verify damaged.xbstream',
    ]) {
      const isMoving = command.includes(' extract ');
      const slowed = isMoving ? { ...env, NODE_OPTIONS: `--import=${join(folder, 'slow.mjs')}` } : env;
      lines.push(
        [span('$ ', '90', false), span(command, '97', true)],
        ...linesOf(await shown(command, folder, slowed), isMoving),
        [],
      );
    }
    return svg(lines.slice(0, -1));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function makeBackup(folder: string): void {
  for (const [name, bytes] of Object.entries(FILES)) {
    const path = join(folder, name);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, '');
    fs.truncateSync(path, bytes);
  }
}

/** Changes a byte in the middle of a file of the archive. */
function damage(path: string): void {
  const fd = fs.openSync(path, 'r+');
  fs.writeSync(fd, 'x', Math.floor(fs.fstatSync(fd).size / 2));
  fs.closeSync(fd);
}

function environment(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  fs.mkdirSync(bin);
  fs.symlinkSync(join(PROJECT, 'bin/tsxbstream.js'), join(bin, 'tsxbstream'));
  return { ...process.env, PATH: `${bin}:${process.env['PATH']!}`, TERM: 'xterm', NO_COLOR: '' };
}

/** What a command shows on a terminal. */
function shown(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve) => {
    const words = ['-qfec', `stty cols ${COLUMNS} rows 50; ${command}`, '/dev/null'];
    const child = spawn('script', words, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (part: Buffer) => (text += part.toString()));
    child.on('close', () => resolve(text));
  });
}

/** Each read takes as long as on a disk: memory is so fast that progress would not be shown at all. Loaded before the program. */
const SLOW_READS = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const { readSync } = fs;
const nap = new Int32Array(new SharedArrayBuffer(4));
fs.readSync = (...words) => {
  Atomics.wait(nap, 0, 0, 3);
  return readSync(...words);
};
syncBuiltinESMExports();
`;

const span = (text: string, colour: string, isBold: boolean): Span => ({ text, colour, isBold });

/** The lines of what was shown; of the one that moves, how it stood about the middle. */
function linesOf(text: string, isMoving: boolean): Line[] {
  const lines: Line[] = [[]];
  const moving: Line[] = [];
  let [colour, isBold] = ['37', false];
  // eslint-disable-next-line no-control-regex -- escape sequences are what it is about
  for (const [, sequence, parameter, final, plain] of text.matchAll(/(\x1b\[([\d;?]*)([A-Za-z])|\r)|([^\x1b\r]+)/g)) {
    if (final === 'm') [colour, isBold] = styled(parameter!, colour, isBold);
    else if (sequence !== undefined && (final === 'K' || final === 'G')) {
      const last = lines.at(-1)!;
      if (/^ *\d+%/.test(textOf(last))) moving.push(last);
      lines[lines.length - 1] = [];
    } else if (plain !== undefined) {
      plain.split('\n').forEach((part, index) => {
        if (index > 0) lines.push([]);
        if (part !== '') lines.at(-1)!.push(span(part, colour, isBold));
      });
    }
  }
  const told = lines.filter((line) => line.length > 0);
  const middle = moving.findLast((line) => Number.parseInt(textOf(line)) <= 60) ?? moving[0];
  if (isMoving && middle === undefined) throw new Error('it was done before it could show its progress');
  return [...(middle === undefined || !isMoving ? [] : [middle]), ...told].flatMap(rowsOf);
}

const textOf = (line: Line): string => line.map(({ text }) => text).join('');

/** A line as a terminal wraps it. */
function rowsOf(line: Line): Line[] {
  const rows: Line[] = [[]];
  let column = 0;
  for (const each of line) {
    for (let rest = each.text; rest !== '';) {
      if (column === COLUMNS) {
        rows.push([]);
        column = 0;
      }
      const text = rest.slice(0, COLUMNS - column);
      rows.at(-1)!.push({ ...each, text });
      column += text.length;
      rest = rest.slice(text.length);
    }
  }
  return rows;
}

function styled(parameter: string, colour: string, isBold: boolean): [string, boolean] {
  if (parameter === '1') return [colour, true];
  if (parameter === '22') return [colour, false];
  if (parameter === '' || parameter === '0') return ['37', false];
  return [parameter === '39' ? '37' : parameter, isBold];
}

/** By the codes of ECMA-48. */
const PALETTE: Readonly<Record<string, string>> = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  36: '#76e3ea',
  37: '#c9d1d9',
  90: '#8b949e',
  97: '#f0f6fc',
};
const [CELL, ROW, MARGIN, BAR] = [7.83, 19, 16, 30];

function svg(lines: readonly Line[]): string {
  const width = Math.ceil(COLUMNS * CELL + 2 * MARGIN);
  const height = BAR + lines.length * ROW + 2 * MARGIN;
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map((fill, index) => {
    return `<circle cx="${MARGIN + 5 + index * 18}" cy="${BAR / 2 + 3}" r="5.5" fill="${fill}"/>`;
  });
  const rows = lines.map((line, index) => {
    let column = 0;
    const y = BAR + MARGIN + index * ROW + 9;
    const texts = line.map(({ text, colour, isBold }) => {
      const x = (MARGIN + column * CELL).toFixed(2);
      column += text.length;
      const style = `fill="${PALETTE[colour] ?? PALETTE['37']!}"${isBold ? ' font-weight="bold"' : ''}`;
      // The length holds the columns, whatever font there is.
      return `<text x="${x}" y="${y}" textLength="${(text.length * CELL).toFixed(2)}" ${style}>${escaped(text)}</text>`;
    });
    return texts.join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A terminal: tsxbstream lists an archive, unpacks it, and finds damage in another">
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
${dots.join('')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
${rows.join('\n')}
</g>
</svg>
`;
}

function escaped(text: string): string {
  // Spaces that stand together would be one.
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(' ', '\u00a0');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  fs.writeFileSync(join(PROJECT, 'docs/terminal.svg'), await picture());
}
