import type { SeverityNumber } from '../../records/log-record.ts';
import { SEVERITY } from '../severity.ts';

/** A severity with PostgreSQL's label and OpenTelemetry's number. */
export interface PostgresSeverity {
  /** PostgreSQL's label: `LOG`, `ERROR`, `DEBUG` (for all five levels). */
  readonly label: string;
  readonly number: SeverityNumber;
}

const NUMBERS: ReadonlyMap<string, SeverityNumber> = new Map([
  ['DEBUG', SEVERITY.debug],
  ['LOG', SEVERITY.info],
  ['INFO', SEVERITY.info],
  ['NOTICE', SEVERITY.notice],
  ['WARNING', SEVERITY.warn],
  ['ERROR', SEVERITY.error],
  // Ends one session; a wrong password is sufficient.
  ['FATAL', SEVERITY.fatal],
  // Ends all sessions: the highest number.
  ['PANIC', 24],
]);

/**
 * The severity of a printed label. Servers print it in the language of `lc_messages` (`FEHLER`, `ERREUR`):
 * then the class of the SQLSTATE distinguishes success, warning and error.
 */
export function severityOfLabel(label: string, sqlState: string | undefined): PostgresSeverity {
  return { label, number: NUMBERS.get(label) ?? numberOfSqlState(sqlState) };
}

function numberOfSqlState(sqlState: string | undefined): SeverityNumber {
  switch (sqlState?.slice(0, 2)) {
    case undefined:
      return UNKNOWN;
    case '00':
      return SEVERITY.info;
    case '01':
    case '02':
      return SEVERITY.warn;
    default:
      return SEVERITY.error;
  }
}

const UNKNOWN: SeverityNumber = 0;
const FIRST_WITH_NEW_LEVELS = 14;
const WARNING_LEVEL = 19;

/**
 * The numbers 10 to 19 never changed; PostgreSQL 14 inserted WARNING_CLIENT_ONLY at 20 and incremented the
 * higher ones.
 */
const UNCHANGED_LEVELS: ReadonlyMap<number, string> = new Map([
  [10, 'DEBUG'],
  [11, 'DEBUG'],
  [12, 'DEBUG'],
  [13, 'DEBUG'],
  [14, 'DEBUG'],
  [15, 'LOG'],
  // COMMERROR, since 9.6 LOG_SERVER_ONLY too: both print as LOG.
  [16, 'LOG'],
  [17, 'INFO'],
  [18, 'NOTICE'],
  [19, 'WARNING'],
]);
const OLD_LEVELS: ReadonlyMap<number, string> = new Map([
  ...UNCHANGED_LEVELS,
  [20, 'ERROR'],
  [21, 'FATAL'],
  [22, 'PANIC'],
]);
const NEW_LEVELS: ReadonlyMap<number, string> = new Map([
  ...UNCHANGED_LEVELS,
  [20, 'WARNING'],
  [21, 'ERROR'],
  [22, 'FATAL'],
  [23, 'PANIC'],
]);

/**
 * The severity of a level number of a server of this major version. An unknown version is treated as a new
 * one.
 */
export function severityOfLevel(level: number, serverMajor: number | undefined): PostgresSeverity {
  const levels = (serverMajor ?? FIRST_WITH_NEW_LEVELS) < FIRST_WITH_NEW_LEVELS ? OLD_LEVELS : NEW_LEVELS;
  const label = levels.get(level);
  if (label !== undefined) return { label, number: NUMBERS.get(label) ?? UNKNOWN };
  return { label: `UNKNOWN(${level})`, number: level < WARNING_LEVEL ? SEVERITY.info : SEVERITY.error };
}
