import type { AttributeValue, ParsedRecord, SeverityNumber } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';
import { numberToUnixNano } from './number-to-unix-nano.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { severityOfName } from './severity.ts';
import { type Companions, severityOfLevelNumber } from './severity-of-level-number.ts';
import { parseLocalTime } from './time/parse-local-time.ts';

/** The keys of time, severity and message, the preferred ones first. */
export interface FieldKeys {
  readonly time: readonly string[];
  readonly level: readonly string[];
  readonly message: readonly string[];
  /** Severities of names (in lower case) and numbers that loggers of this kind use; before the usual ones. */
  readonly levels?: ReadonlyMap<string, SeverityNumber>;
}

export const TIME_KEYS = [
  ...['time', 'timestamp', '@timestamp', 'ts', 'datetime', 'eventTime', 'Timestamp', '@t', 'asctime'],
] as const;
export const LEVEL_KEYS = [
  ...['level', 'severity', 'severityText', 'log.level', 'loglevel', 'lvl', 'levelname'],
  ...['LogLevel', 'Level', '@l', 'levelno', 'PRIORITY'],
] as const;
export const MESSAGE_KEYS = [
  ...['message', 'msg', 'body', 'log', 'event', 'Message', '@m', 'short_message', 'MESSAGE'],
] as const;

export const USUAL_KEYS: FieldKeys = { time: TIME_KEYS, level: LEVEL_KEYS, message: MESSAGE_KEYS };

type Fields = Partial<Omit<ParsedRecord, 'attributes'>>;

/** Removes time, severity and message from the attributes, and returns them. */
export function takeFields(
  attributes: Map<string, AttributeValue>,
  keys: FieldKeys,
  context: RecordContext | undefined,
): Fields {
  // Before the time is removed: its notation identifies families of loggers.
  const level = take(
    attributes,
    keys.level,
    (value, key) => namedSeverity(value, keys) ?? severityOfValue(value, key, attributes),
  );
  const timeUnixNano =
    take(attributes, keys.time, (value) => unixNanoOfText(value, context)) ??
    take(attributes, keys.time, unixNanoOfPlainNumber);
  const body = take(attributes, keys.message, (value) => (typeof value === 'string' ? value : undefined));
  return { timeUnixNano, ...level, ...(body === undefined ? {} : { body }) };
}

/** The result of `read` for the first of `keys` that it can read; that key is no longer an attribute. */
function take<T>(
  attributes: Map<string, AttributeValue>,
  keys: readonly string[],
  read: (value: AttributeValue, key: string) => T | undefined,
): T | undefined {
  for (const key of keys) {
    const value = attributes.get(key);
    const meaning = value === undefined ? undefined : read(value, key);
    if (meaning === undefined) continue;
    attributes.delete(key);
    return meaning;
  }
  return undefined;
}

function unixNanoOfText(value: AttributeValue, context: RecordContext | undefined): bigint | undefined {
  if (typeof value !== 'string') return undefined;
  return parseRfc3339(value) ?? parseLocalTime(value, context);
}

function namedSeverity(
  value: AttributeValue,
  { levels }: FieldKeys,
): Pick<ParsedRecord, 'severityNumber' | 'severityText'> | undefined {
  if (levels === undefined || (typeof value !== 'string' && typeof value !== 'number')) return undefined;
  const severityNumber = levels.get(String(value).trim().toLowerCase());
  return severityNumber === undefined ? undefined : { severityNumber, severityText: String(value) };
}

/** A smaller number is a duration or a counter: no log of this kind is from before 2001-09-09. */
const LEAST_UNIX_NANO = 1_000_000_000_000_000_000n;

function unixNanoOfPlainNumber(value: AttributeValue): bigint | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const unixNano = numberToUnixNano(String(value));
  return unixNano !== undefined && unixNano >= LEAST_UNIX_NANO ? unixNano : undefined;
}

function severityOfValue(
  level: AttributeValue,
  key: string,
  companions: Companions,
): Pick<ParsedRecord, 'severityNumber' | 'severityText'> | undefined {
  if (typeof level !== 'string' && typeof level !== 'number') return undefined;
  const severityNumber =
    (typeof level === 'string' ? severityOfName(level) : undefined) ??
    (/^\d{1,2}$/.test(String(level).trim())
      ? severityOfLevelNumber(Number(level), key, companions)
      : undefined);
  return severityNumber === undefined ? undefined : { severityNumber, severityText: String(level) };
}
