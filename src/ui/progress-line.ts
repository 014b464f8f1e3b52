/** One line of at most `width` columns: with a bar, percent and time left where the total is known, else without. */
import { printablePath } from './printable.js';
import type { ProgressReport } from './reporter.js';
import { formatBytes, formatClock, formatCount, formatRate } from './units.js';

/** Everything a line of progress can say. */
export interface ProgressState extends ProgressReport {
  bytesPerSecond: number;
  elapsedSeconds: number;
}

const GAP = '  ';
const WIDEST_BAR = 24;
const NARROWEST_BAR = 8;
/** Less of a name tells nobody anything. */
const NARROWEST_NAME = 12;
/** A bar leaves so much to the name, whatever its length: it is not to come and go with each file. */
const NAME_BESIDE_BAR = 24;

function bar(fraction: number, width: number): string {
  const done = Math.floor(fraction * width);
  return `[${'='.repeat(done)}${' '.repeat(width - done)}]`;
}

function knownTotal(state: ProgressState, totalBytes: number, width: number): string {
  const fraction = totalBytes > 0 ? Math.min(1, state.bytes / totalBytes) : 1;
  // Rounded down: 100% only when nothing is left.
  const percent = `${String(Math.floor(fraction * 100)).padStart(3)}%`;
  const amount = `${formatBytes(state.bytes)} of ${formatBytes(totalBytes)}`;
  const rate = formatRate(state.bytesPerSecond);
  const left = Math.max(0, totalBytes - state.bytes);
  const eta = `ETA ${state.bytesPerSecond > 0 || left === 0 ? formatClock(left / (state.bytesPerSecond || 1)) : '-:--'}`;
  const parts = [amount, rate, eta];
  // What matters least goes first where the terminal is narrow.
  while (parts.length > 0 && [percent, ...parts].join(GAP).length > width) parts.shift();
  const files = filesPart(state, width - [percent, ...parts].join(GAP).length);
  const text = [percent, ...parts, ...files].join(GAP);
  const nameRoom = state.path === undefined ? 0 : GAP.length + NAME_BESIDE_BAR;
  const room = Math.min(WIDEST_BAR, width - text.length - '[]  '.length - nameRoom);
  const withBar = room < NARROWEST_BAR ? text : [percent, bar(fraction, room), ...parts, ...files].join(GAP);
  return withBar + namePart(state, width - withBar.length);
}

function unknownTotal(state: ProgressState, width: number): string {
  if (state.bytes === 0) return 'waiting for the archive'.slice(0, width);
  const parts = [
    `${formatBytes(state.bytes)} read`,
    formatRate(state.bytesPerSecond),
    `${formatClock(state.elapsedSeconds)} elapsed`,
  ];
  while (parts.length > 1 && parts.join(GAP).length > width) parts.pop();
  const text = [...parts, ...filesPart(state, width - parts.join(GAP).length)].join(GAP);
  return text + namePart(state, width - text.length);
}

/** How many files are done, where there is room for it. */
function filesPart({ files }: ProgressState, room: number): string[] {
  const text = files === undefined ? '' : formatCount(files, 'file');
  return text === '' || GAP.length + text.length > room ? [] : [text];
}

/** The file that is at work on, or the end of its name. */
function namePart({ path }: ProgressState, room: number): string {
  const width = room - GAP.length;
  if (path === undefined || width < NARROWEST_NAME) return '';
  return GAP + endOf(printablePath(path), width);
}

/** A text in at most so many columns: what matters of a long name is its end. */
function endOf(text: string, width: number): string {
  const characters = Array.from(text);
  if (columnsOf(characters) <= width) return text;
  const mark = '...';
  while (columnsOf(characters) > width - mark.length) characters.shift();
  return mark + characters.join('');
}

/** From here on a character may take two columns of a terminal: Hangul, CJK, symbols. */
const WIDE_FROM = 0x1100;

/** At most so many columns. */
function columnsOf(characters: readonly string[]): number {
  return characters.reduce((sum, character) => sum + (character.codePointAt(0)! < WIDE_FROM ? 1 : 2), 0);
}

export function progressLine(state: ProgressState, width: number): string {
  const { totalBytes } = state;
  const line = totalBytes === undefined ? unknownTotal(state, width) : knownTotal(state, totalBytes, width);
  return line.slice(0, Math.max(0, width));
}
