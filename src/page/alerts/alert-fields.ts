import type { AlertDefinition } from '../api/monitoring.ts';

/** The form of an alert; numbers are texts. */
export interface AlertFields
  extends Pick<AlertDefinition, 'id' | 'metric' | 'statistic' | 'comparison' | 'noData' | 'notify'> {
  readonly level: string;
  readonly windowSeconds: string;
  readonly forSeconds: string;
}

export function newAlert(metric: string): AlertFields {
  return {
    ...{ id: '', metric, statistic: 'avg', comparison: '>', noData: 'no-data', notify: true },
    ...{ level: '', windowSeconds: '300', forSeconds: '0' },
  };
}

export function fieldsOfAlert(alert: AlertDefinition): AlertFields {
  const { id, metric, statistic, comparison, noData, notify, level, windowSeconds, forSeconds } = alert;
  return {
    ...{ id, metric, statistic, comparison, noData, notify },
    ...{ level: String(level), windowSeconds: String(windowSeconds), forSeconds: String(forSeconds) },
  };
}

/** The definition that is sent. `before`: the alert that is changed keeps what the form does not have. */
export function definitionOf(fields: AlertFields, before?: AlertDefinition): object {
  const { checkSeconds, fillMissing } = before ?? {};
  return {
    ...(checkSeconds !== undefined && { checkSeconds }),
    ...(fillMissing !== undefined && { fillMissing }),
    ...fields,
    id: fields.id.trim(),
    level: Number(fields.level),
    windowSeconds: Number(fields.windowSeconds),
    forSeconds: Number(fields.forSeconds),
  };
}
