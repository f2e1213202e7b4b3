import { formatRfc3339 } from '../formats/rfc3339.ts';
import type { LogRecord } from '../records/log-record.ts';

/**
 * The one JSON rendering of a record: one line, without its end.
 *
 *     {"time":"2023-11-14T22:13:20.000000000Z","observed_time":"...","severity":"INFO","severity_number":9,"body":"...",
 *      "attributes":{...},"resource":{...},"format":"plain","stream":"...","position":0}
 *
 * The keys stand always in this order; `time`, `severity` and `severity_number` are absent where the record does not
 * say. Bytes that were not UTF-8 are U+FFFD in the body and marked in the attributes (`megacollector.invalid_utf8`).
 */
export function jsonRecord(record: LogRecord): string {
  const { timeUnixNano, severityNumber } = record;
  return JSON.stringify({
    time: timeUnixNano === undefined ? undefined : formatRfc3339(timeUnixNano),
    observed_time: formatRfc3339(record.observedTimeUnixNano),
    severity: record.severityText ?? severityName(severityNumber),
    severity_number: severityNumber,
    body: record.body,
    // Entries become properties of their own, whatever their names (`__proto__`).
    attributes: Object.fromEntries(record.attributes),
    resource: Object.fromEntries(record.resource),
    format: record.format,
    stream: record.stream,
    position: record.position,
  });
}

const NAMES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** OpenTelemetry's short name of a severity: each covers four numbers. */
function severityName(severityNumber: number | undefined): string | undefined {
  return severityNumber === undefined ? undefined : NAMES[Math.floor((severityNumber - 1) / 4)];
}
