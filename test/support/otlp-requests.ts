import { anyValueOf } from '../../src/protocols/otlp/any-value.ts';
import { ExportLogsServiceRequest } from '../../src/records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import type { LogRecord } from '../../src/records/gen/opentelemetry/proto/logs/v1/logs.ts';

/** A log record with a body, and nothing else. */
export function logRecordOf(body: string): LogRecord {
  return {
    timeUnixNano: 0n,
    observedTimeUnixNano: 0n,
    severityNumber: 0,
    severityText: '',
    body: anyValueOf(body),
    attributes: [],
    droppedAttributesCount: 0,
    flags: 0,
    traceId: Buffer.alloc(0),
    spanId: Buffer.alloc(0),
    eventName: '',
  };
}

/** An encoded request with these bodies. */
export function logsRequest(bodies: readonly string[]): Buffer<ArrayBuffer> {
  const scopeLogs = [{ scope: undefined, logRecords: bodies.map(logRecordOf), schemaUrl: '' }];
  const request = { resourceLogs: [{ resource: undefined, scopeLogs, schemaUrl: '' }] };
  return Buffer.from(ExportLogsServiceRequest.encode(request).finish());
}
