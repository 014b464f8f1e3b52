const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `0 B`, `999 B`, `1.5 KiB`, `117 MiB`: three digits are as much as an eye takes in. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.max(0, Math.round(bytes))} B`;
  let value = bytes;
  let unit = -1;
  // 999.5 and not 1024, so that what is rounded never shows as 1,000 or more of a unit.
  while ((value >= 999.5 || unit < 0) && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[unit]!}`;
}

/** Bytes a second, as `310 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** What of a run is measured by time. */
type Measured = 'archive' | 'files';

/** `in 0.42 s, 286 MiB/s of archive`: how long it took, and how much of what went by. */
export function formatPace(seconds: number, bytes: number, of: Measured): string {
  // Of a fraction of a second no rate can be told that would mean anything.
  const rate = seconds < 0.05 ? '' : `, ${formatRate(bytes / seconds)} of ${of}`;
  return `in ${formatSeconds(seconds)}${rate}`;
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** How long something took: `0.42 s`, `7.3 s`, `42 s`, `3 min 05 s`, `2 h 04 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${twoDigits(Math.floor((whole % 3600) / 60))} min`;
}

/** A running clock: `0:07`, `12:05`, `1:02:03`. Its width changes little from one second to the next. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}` : `${minutes}:${twoDigits(whole % 60)}`;
}

/** `50,000`: a whole number. Node's own way loads the language data of ICU, which takes a fifth of a short run. */
export function formatNumber(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 file`, `2 files`, `50,000 files`. */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export const secondsNow = (): number => performance.now() / 1000;
