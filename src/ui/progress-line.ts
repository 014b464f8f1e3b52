import { formatBytes, formatClock, formatRate } from './units.js';

/** Everything a line of progress can say. */
export interface ProgressState {
  /** Bytes of the archive read so far. */
  bytes: number;
  /** Size of the archive in bytes, where it is known. */
  totalBytes?: number | undefined;
  bytesPerSecond: number;
  elapsedSeconds: number;
}

const WIDEST_BAR = 24;
const NARROWEST_BAR = 8;

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
  while (parts.length > 0 && [percent, ...parts].join('  ').length > width) parts.shift();
  const text = [percent, ...parts].join('  ');
  const room = Math.min(WIDEST_BAR, width - text.length - '[]  '.length);
  return room < NARROWEST_BAR ? text : [percent, bar(fraction, room), ...parts].join('  ');
}

function unknownTotal(state: ProgressState, width: number): string {
  if (state.bytes === 0) return 'waiting for the archive'.slice(0, width);
  const parts = [
    `${formatBytes(state.bytes)} read`,
    formatRate(state.bytesPerSecond),
    `${formatClock(state.elapsedSeconds)} elapsed`,
  ];
  while (parts.length > 1 && parts.join('  ').length > width) parts.pop();
  return parts.join('  ');
}

/** One line of at most `width` characters: with a bar, percent and time left where the total is known, else without. */
export function progressLine(state: ProgressState, width: number): string {
  const { totalBytes } = state;
  const line = totalBytes === undefined ? unknownTotal(state, width) : knownTotal(state, totalBytes, width);
  return line.slice(0, Math.max(0, width));
}
