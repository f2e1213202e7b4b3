import { encodeLogPayload } from '../../../protocols/febe/encode-log-payload.ts';
import type { Loss } from '../../journal/loss.ts';

/** WARNING, in every version of PostgreSQL. */
const WARNING = 19;

/**
 * Creates the record that reports lost records. It has the same format as these, so each consumer of the tenant's
 * records can read it. Its application name and its process id 0 distinguish it from records of PostgreSQL.
 */
export function lossRecord({ records, bytes, fromUnixMs, toUnixMs }: Loss): Buffer {
  const from = pgTime(fromUnixMs);
  const to = pgTime(toUnixMs);
  return encodeLogPayload({
    LogTime: to,
    SessionId: '0.0',
    SessionStart: from,
    ELevel: WARNING,
    SQLState: '01000',
    ErrMessage: `mega-collector lost ${records} log ${records === 1 ? 'record' : 'records'} of this server`,
    ErrDetail: `They had ${bytes} bytes and arrived from ${from} to ${to}, when there was no room for them.`,
    InternalQueryPos: -1,
    UserQueryPos: -1,
    ApplicationName: 'mega-collector',
  });
}

/** `2026-11-20 07:16:15.461 UTC` */
function pgTime(unixMs: number): string {
  return new Date(unixMs).toISOString().replace('T', ' ').replace('Z', ' UTC');
}
