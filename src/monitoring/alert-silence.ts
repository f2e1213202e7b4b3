import { z } from 'zod';
import { moment } from '../logstore/logs/log-requests.ts';
import { type Sql, sql } from '../logstore/sql/sql.ts';
import type { SqlRow } from '../logstore/sql/sql-database.ts';
import { numberOf, textOf } from '../logstore/sql/sql-row.ts';
import { parseDuration } from '../runtime/configuration/duration.ts';
import { formatIsoTime } from './format-iso-time.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';

/**
 * A silence of an alert: until it ends, the alert changes its state and pages nothing. A page that is open stays
 * open, and is resolved when the alert stops firing. If the alert still fires at the end, it pages then.
 */
export const alertSilence = z.object({
  until: z.string(),
  reason: z.string(),
  by: z.string().meta({ description: 'The name that the client has given.' }),
});
export type AlertSilence = z.infer<typeof alertSilence>;

export const silenceRequest = z.strictObject({
  until: moment.meta({
    description: 'The end: RFC 3339, or a duration from now.',
    examples: ['2026-01-31T10:00:00Z', '2h'],
  }),
  reason: z.string().max(500).default(''),
  by: z.string().max(100).default('').meta({ description: 'A name of the client, for other people.' }),
});
export type SilenceRequest = z.output<typeof silenceRequest>;

const MAX_SILENCE_DAYS = 366;

/** Throws MonitorError if the silence ends in the past, or too far in the future. */
export function silenceOf({ until, reason, by }: SilenceRequest, nowUnixMicro: number): AlertSilence {
  const untilUnixMicro = endOf(until, nowUnixMicro);
  if (untilUnixMicro <= nowUnixMicro)
    throw new MonitorError('invalid', `The end of the silence must be in the future, got ${until}.`);
  if (untilUnixMicro > nowUnixMicro + MAX_SILENCE_DAYS * 86_400_000_000)
    throw new MonitorError(
      'invalid',
      `A silence lasts at most ${MAX_SILENCE_DAYS} days. Choose an earlier end.`,
    );
  return { until: formatIsoTime(untilUnixMicro), reason, by };
}

function endOf(until: string, nowUnixMicro: number): number {
  if (until.includes('T')) return Date.parse(until) * 1000;
  return nowUnixMicro + Number(parseDuration(until) / 1000n);
}

/** The silences that have not ended. */
export function selectSilences({ dialect, nowUnixMicro }: MonitorDatabase, condition: Sql = sql`true`): Sql {
  return sql`select alert, ${dialect.unixMicro(sql`silenced_until`)} as until_micro, reason, silenced_by
    from alert_silences where silenced_until > ${dialect.timestamp(nowUnixMicro)} and ${condition}`;
}

export function storedSilence(row: SqlRow): AlertSilence {
  return {
    until: formatIsoTime(numberOf(row, 'until_micro')),
    reason: textOf(row, 'reason'),
    by: textOf(row, 'silenced_by'),
  };
}
