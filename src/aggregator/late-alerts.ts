import type { EvaluationProblem } from '../monitoring/evaluation-failures.ts';
import type { Late } from '../runtime/http/health.ts';

/** Alerts that cannot be checked, as `/health/progress` shows them. */
export function lateAlerts(problems: readonly EvaluationProblem[], nowUnixNano: bigint): Late[] {
  return problems.map(({ alert, sinceUnixMicro }) => ({
    what: `alert ${alert}`,
    ageSeconds: Math.round(Number(nowUnixNano / 1000n - BigInt(sinceUnixMicro)) / 1e6),
  }));
}
