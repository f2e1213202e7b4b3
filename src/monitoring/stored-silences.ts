import { type Sql, sql } from '../logstore/sql/sql.ts';
import type { SqlRow } from '../logstore/sql/sql-database.ts';
import { numberOf, textOf } from '../logstore/sql/sql-row.ts';
import { parseDuration } from '../runtime/configuration/duration.ts';
import type { AlertSilence, SilenceRequest } from './alert-silence.ts';
import { formatIsoTime } from './format-iso-time.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';

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
