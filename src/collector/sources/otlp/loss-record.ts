import { anyValueOf } from '../../../protocols/otlp/any-value.ts';
import { LogRecord } from '../../../records/gen/opentelemetry/proto/logs/v1/logs.ts';
import type { Loss } from '../../journal/loss.ts';

const WARN = 13;
const NO_BYTES = Buffer.alloc(0);

/** The source rejects what has no room, so it drops nothing; the journal requires the record all the same. */
export function lossRecord({ records, bytes, fromUnixMs, toUnixMs }: Loss): Uint8Array {
  const from = new Date(fromUnixMs).toISOString();
  return LogRecord.encode({
    timeUnixNano: BigInt(toUnixMs) * 1_000_000n,
    observedTimeUnixNano: 0n,
    severityNumber: WARN,
    severityText: 'WARN',
    body: anyValueOf(`mega-collector lost ${records} log records of ${bytes} bytes from ${from}`),
    attributes: [],
    droppedAttributesCount: 0,
    flags: 0,
    traceId: NO_BYTES,
    spanId: NO_BYTES,
    eventName: '',
  }).finish();
}
