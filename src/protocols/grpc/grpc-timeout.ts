/** The value of `grpc-timeout` in milliseconds, such as 2,000 for `2S`; undefined if it is invalid. */
export function parseTimeout(text: string): number | undefined {
  const match = /^([0-9]{1,8})([HMSmun])$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
}

/** In milliseconds, rounded up; at most 8 digits. */
export function formatTimeout(ms: number): string {
  const rounded = Math.max(1, Math.ceil(ms));
  return rounded <= 99_999_999 ? `${rounded}m` : `${Math.min(99_999_999, Math.ceil(rounded / 1000))}S`;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};
