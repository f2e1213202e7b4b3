import { harmless } from './harmless.ts';

/** `2026-01-31T10:00:00Z`; with milliseconds where there are any. */
export function timeText(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return harmless(time);
  return date.toISOString().replace('.000Z', 'Z');
}

/** `2026-01-31T10:00:00.120Z`: always of the same width. */
export function preciseTimeText(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? harmless(time) : date.toISOString();
}

/** `45s`, `10m`, `1h30m`, `2d4h`: the two largest units. */
export function durationText(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const;
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const whole = Math.floor(rest / size);
    if (whole > 0) parts.push(`${whole}${unit}`);
    else if (parts.length > 0) break;
    rest -= whole * size;
    if (parts.length === 2) break;
  }
  return parts.join('') || '0s';
}
