/** Formats a time for people and databases, to the microsecond: `2026-01-31T10:00:00.000001Z`. */
export function rfc3339Micro(unixMicro: number): string {
  const unixMs = Math.floor(unixMicro / 1000);
  const micro = Math.floor(unixMicro - unixMs * 1000);
  return `${new Date(unixMs).toISOString().slice(0, -1)}${String(micro).padStart(3, '0')}Z`;
}
