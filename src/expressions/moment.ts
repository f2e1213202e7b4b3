const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** RFC 3339, or a date, which means its first moment in UTC. */
export function isTimeText(text: string): boolean {
  const day = text.slice(0, 10);
  if (!TIME.test(text) || Number.isNaN(Date.parse(text)) || Number.isNaN(Date.parse(day))) return false;
  // `Date` alone would read 31 February as 3 March.
  return new Date(day).toISOString().startsWith(day);
}

/** Microseconds since 1970 of a checked time. */
export function momentMicro(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return Date.parse(text) * 1000 + Number(fraction.padEnd(6, '0').slice(3, 6));
}
