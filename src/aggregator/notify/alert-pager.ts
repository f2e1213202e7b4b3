import type { AlertDefinition } from '../../monitoring/alert-definition.ts';
import type { AlertPageDetails, AlertPager } from '../../monitoring/alert-pager.ts';
import type { AlertIncident, Notifier } from './notifier.ts';

/** Turns the monitor's pages into incidents of the notifier. */
export function alertPager(notifier: Notifier): AlertPager {
  return {
    firing: (page, details) =>
      notifier.trigger(
        { kind: 'alert', ...page },
        {
          reason: reasonOf(details),
          records: 0,
          bytes: 0,
          attempts: 0,
          sinceUnixNano: BigInt(details.sinceUnixMicro) * 1000n,
        },
      ),
    cannotEvaluate: (alert, { reason, sinceUnixMicro }) =>
      notifier.trigger(
        { kind: 'evaluation', alert },
        { reason, records: 0, bytes: 0, attempts: 0, sinceUnixNano: BigInt(sinceUnixMicro) * 1000n },
      ),
    canEvaluate: (alert) => notifier.resolve({ kind: 'evaluation', alert }),
    unevaluated: () =>
      notifier.openIncidents().flatMap((each) => (each.kind === 'evaluation' ? [each.alert] : [])),
    resolved: (page, options) => notifier.resolve({ kind: 'alert', ...page }, options),
    open: () =>
      notifier
        .openIncidents()
        .filter((incident): incident is AlertIncident => incident.kind === 'alert')
        .map(({ alert, segment }) => ({ alert, segment })),
  };
}

/** `avg of total_traffic over 120 s is 12.5 (fires when > 10)` */
function reasonOf({ definition, observed }: AlertPageDetails): string {
  const { statistic, metric, windowSeconds } = definition;
  const is = observed === null ? 'has no data' : `is ${Number(observed.toPrecision(6))}`;
  return `${statistic} of ${metric} over ${windowSeconds} s ${is} (fires when ${ruleOf(definition)})`;
}

function ruleOf({ comparison, level, forSeconds }: AlertDefinition): string {
  return `${comparison} ${level}${forSeconds > 0 ? ` for ${forSeconds} s` : ''}`;
}
