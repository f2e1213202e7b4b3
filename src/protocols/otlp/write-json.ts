import type { AnyValue, KeyValue } from '../../records/gen/opentelemetry/proto/common/v1/common.ts';
import type { LogRecord } from '../../records/gen/opentelemetry/proto/logs/v1/logs.ts';

/** A log record in OTLP's mapping to JSON. Fields without a value are absent. */
export function jsonLogRecord(record: LogRecord): object {
  const { severityNumber, severityText, body, droppedAttributesCount, flags, traceId, spanId } = record;
  return {
    timeUnixNano: String(record.timeUnixNano),
    observedTimeUnixNano: String(record.observedTimeUnixNano),
    severityNumber: severityNumber || undefined,
    severityText: severityText || undefined,
    body: body && jsonAnyValue(body),
    attributes: jsonKeyValues(record.attributes),
    droppedAttributesCount: droppedAttributesCount || undefined,
    flags: flags || undefined,
    traceId: traceId.toString('hex') || undefined,
    spanId: spanId.toString('hex') || undefined,
    eventName: record.eventName || undefined,
  };
}

export function jsonKeyValues(values: readonly KeyValue[]): readonly object[] {
  return values.map(({ key, value }) => ({ key, value: value && jsonAnyValue(value) }));
}

function jsonAnyValue({ value }: AnyValue): object {
  if (value === undefined) return {};
  switch (value.$case) {
    case 'intValue':
      return { intValue: String(value.value) };
    case 'doubleValue':
      return { doubleValue: Number.isFinite(value.value) ? value.value : String(value.value) };
    case 'bytesValue':
      return { bytesValue: value.value.toString('base64') };
    case 'arrayValue':
      return { arrayValue: { values: value.value.values.map(jsonAnyValue) } };
    case 'kvlistValue':
      return { kvlistValue: { values: jsonKeyValues(value.value.values) } };
    case 'stringValue':
    case 'boolValue':
      return { [value.$case]: value.value };
  }
}
