import { formatRfc3339 } from '../formats/rfc3339.ts';
import type { LogRecord } from '../records/log-record.ts';

/**
 * The JSON form of a record: one line without its line ending.
 *
 *     {"time":"2023-11-14T22:13:20.000000000Z","observed_time":"...","severity":"INFO","severity_number":9,"body":"...",
 *      "attributes":{...},"resource":{...},"format":"plain","stream":"...","position":0}
 *
 * The keys are always in this order; `time`, `severity` and `severity_number` are absent if the record has
 * none. Bytes that are not UTF-8 become U+FFFD in the body and are marked in the attributes
 * (`megacollector.invalid_utf8`).
 */
export function jsonRecord(record: LogRecord): string {
  const { timeUnixNano, severityNumber } = record;
  return JSON.stringify({
    time: timeUnixNano === undefined ? undefined : formatRfc3339(timeUnixNano),
    observed_time: formatRfc3339(record.observedTimeUnixNano),
    severity: record.severityText ?? severityName(severityNumber),
    severity_number: severityNumber,
    body: record.body,
    // Each entry becomes an own property, also with a name such as `__proto__`.
    attributes: Object.fromEntries(record.attributes),
    resource: Object.fromEntries(record.resource),
    format: record.format,
    stream: record.stream,
    position: record.position,
  });
}

const NAMES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** OpenTelemetry's short name of a severity. Each name covers four numbers. */
export function severityName(severityNumber: number | undefined): string | undefined {
  return severityNumber === undefined ? undefined : NAMES[Math.floor((severityNumber - 1) / 4)];
}
