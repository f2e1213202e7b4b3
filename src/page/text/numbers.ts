const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const COUNT_UNITS = ['', 'k', 'M', 'G', 'T'] as const;

/** `1,234,567` */
export function wholeNumber(value: number): string {
  return WHOLE.format(value);
}

/** `1.23M`; below 10,000 in full. */
export function shortNumber(value: number): string {
  if (Math.abs(value) < 10_000) return (Math.abs(value) < 100 ? SHORT : WHOLE).format(value);
  const [scaled, unit] = scale(value, 1000, COUNT_UNITS);
  return `${SHORT.format(scaled)}${unit}`;
}

/** `3.2 MiB` */
export function byteSize(bytes: number): string {
  const [scaled, unit] = scale(bytes, 1024, BYTE_UNITS);
  return `${unit === 'B' ? WHOLE.format(scaled) : SHORT.format(scaled)} ${unit}`;
}

/** `12.3 %`; a share below 0.1 % is not shown as 0. */
export function percentage(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toFixed(1))} %`;
}

function scale<Unit>(value: number, base: number, units: readonly Unit[]): readonly [number, Unit] {
  let scaled = value;
  let at = 0;
  // 999.9 is rounded to 1,000 by three digits, and is one of the next unit then.
  while (Math.abs(scaled) >= base * 0.9995 && at < units.length - 1) {
    scaled /= base;
    at++;
  }
  return [scaled, units[at] as Unit];
}

const DURATION_UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** `2 d 3 h`, `4 min`, `1.5 s`, `20 ms` */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${SHORT.format(Math.round(seconds * 10) / 10)} s`;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of DURATION_UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
