import { SEVERITIES } from './log-requests.ts';

export type SeverityName = (typeof SEVERITIES)[number];

/** OpenTelemetry gives each name four numbers: 1-4 trace, 5-8 debug, ... */
export const SEVERITY_NUMBERS_EACH = 4;

export function lowestSeverityNumber(name: SeverityName): number {
  return SEVERITIES.indexOf(name) * SEVERITY_NUMBERS_EACH + 1;
}

/** null: unknown. */
export function severityName(severityNumber: number | null): SeverityName | null {
  if (severityNumber === null || severityNumber < 1) return null;
  return SEVERITIES[Math.floor((severityNumber - 1) / SEVERITY_NUMBERS_EACH)] ?? null;
}
