import type { ShownRecord } from '../../aggregator/filters/try-filter.ts';
import { severityName } from '../../emitters/json-record.ts';
import { formatRfc3339 } from '../../formats/rfc3339.ts';
import type { LogRecord } from '../../records/log-record.ts';

/** The values of a record that a filter can change, as JSON by name. */
export type TriedValues = ReadonlyMap<string, string>;

export function valuesOfRecord(record: LogRecord): TriedValues {
  const { timeUnixNano, severityNumber, severityText, body, attributes } = record;
  const time = timeUnixNano === undefined ? undefined : formatRfc3339(timeUnixNano);
  return jsonValues({ time, severity: severityNumber, severity_text: severityText, body }, attributes);
}

/** The values of a record in the answer of an aggregator. */
export function valuesOfShown({ time, severity, severity_number: number, body, attributes }: ShownRecord) {
  const isName = typeof number === 'number' && severity === severityName(number);
  const own = { time, severity: number, severity_text: isName ? undefined : severity, body };
  return jsonValues(own, Object.entries(attributes ?? {}));
}

function jsonValues(own: object, attributes: Iterable<readonly [string, unknown]>): TriedValues {
  const all: (readonly [string, unknown])[] = [...Object.entries(own), ...attributes];
  return new Map(
    all.flatMap(([name, value]) => (value === undefined ? [] : [[name, JSON.stringify(value)] as const])),
  );
}
