import type { AttributeValue, SeverityNumber } from '../records/log-record.ts';
import { SEVERITY, SYSLOG_SEVERITIES } from './severity.ts';

/**
 * The severity of a level number. Each family of loggers has its own numbers, so the key and its companions
 * decide:
 *
 * - .NET (0 Trace to 5 Critical, 6 None): the key is `LogLevel`, or there is an `EventId`.
 * - Python (10 DEBUG to 50 CRITICAL): the key is `levelno`, or there is a companion that only Python's
 *   `logging` has, or the time is a text and no key indicates pino or bunyan.
 * - pino and bunyan (10 trace to 60 fatal): all other multiples of ten.
 * - syslog and GELF (0 emergency to 7 debug): all other numbers.
 */
export function severityOfLevelNumber(
  level: number,
  key: string,
  companions: Companions,
): SeverityNumber | undefined {
  if (key === 'LogLevel' || companions.has('EventId')) return DOTNET[level];
  if (level >= 10 && level % 10 === 0) {
    const numbers = isPython(key, companions) ? PYTHON : PINO;
    return numbers[level / 10 - 1];
  }
  return SYSLOG_SEVERITIES[level];
}

/** The other values of a record by their keys. */
export type Companions = ReadonlyMap<string, AttributeValue>;

function isPython(key: string, companions: Companions): boolean {
  if (key === 'levelno' || PYTHON_KEYS.some((each) => companions.has(each))) return true;
  if (PINO_KEYS.some((each) => companions.has(each))) return false;
  return TEXT_TIME_KEYS.some((each) => typeof companions.get(each) === 'string');
}

const PYTHON_KEYS = ['levelno', 'levelname', 'funcName', 'lineno', 'pathname', 'relativeCreated'] as const;
const PINO_KEYS = ['pid', 'hostname', 'v'] as const;
const TEXT_TIME_KEYS = ['time', 'timestamp', '@timestamp', 'asctime'] as const;

const DOTNET: readonly SeverityNumber[] = [
  SEVERITY.trace,
  SEVERITY.debug,
  SEVERITY.info,
  SEVERITY.warn,
  SEVERITY.error,
  SEVERITY.critical,
];

const PYTHON: readonly SeverityNumber[] = [
  SEVERITY.debug,
  SEVERITY.info,
  SEVERITY.warn,
  SEVERITY.error,
  SEVERITY.critical,
];

const PINO: readonly SeverityNumber[] = [
  SEVERITY.trace,
  SEVERITY.debug,
  SEVERITY.info,
  SEVERITY.warn,
  SEVERITY.error,
  SEVERITY.fatal,
];
