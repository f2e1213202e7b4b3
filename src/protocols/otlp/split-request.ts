import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { LogRecord, ResourceLogs } from '../../records/gen/opentelemetry/proto/logs/v1/logs.ts';
import { messageFields, writeField } from './message-fields.ts';
import { OtlpFault } from './otlp-fault.ts';
import { OTLP_LIMITS } from './otlp-limits.ts';

/** The log records of one scope of one resource. */
export interface ScopeRecords {
  /** A `ResourceLogs` with one `ScopeLogs`, without log records: what the records share. Empty: nothing. */
  readonly context: Uint8Array;
  /** The bytes of each `LogRecord` as received, without a copy. None is empty. */
  readonly records: readonly Uint8Array[];
}

/**
 * Splits an `ExportLogsServiceRequest` into its log records, and checks that each can be decoded. Throws an OtlpFault when
 * the request is not valid as a whole.
 */
export function splitRequest(request: Uint8Array): readonly ScopeRecords[] {
  const scopes: ScopeRecords[] = [];
  let count = 0;
  for (const { number, bytes } of messageFields(request, [RESOURCE_LOGS])) {
    if (number !== RESOURCE_LOGS) continue;
    for (const scope of scopesOf(bytes)) {
      count += scope.records.length;
      if (count > OTLP_LIMITS.requestRecords)
        throw new OtlpFault(`The request has more than ${OTLP_LIMITS.requestRecords} log records.`);
      if (scope.records.length > 0) scopes.push(scope);
    }
  }
  return scopes;
}

/** `ExportLogsServiceRequest` */
const RESOURCE_LOGS = 1;
/** `ResourceLogs` */
const RESOURCE = 1;
const SCOPE_LOGS = 2;
/** `ResourceLogs` and `ScopeLogs` */
const SCHEMA_URL = 3;
/** `ScopeLogs` */
const SCOPE = 1;
const LOG_RECORDS = 2;

/** A record has at least one byte. This is a severity number of 0, which is the same as none. */
const EMPTY_RECORD = Uint8Array.of(0x10, 0x00);

function scopesOf(resourceLogs: Uint8Array): readonly ScopeRecords[] {
  const shared = new BinaryWriter();
  const scopeLogs: Uint8Array[] = [];
  for (const { number, bytes } of messageFields(resourceLogs, [RESOURCE, SCOPE_LOGS, SCHEMA_URL])) {
    if (number === SCOPE_LOGS) scopeLogs.push(bytes);
    else if (number === RESOURCE || number === SCHEMA_URL) writeField(shared, number, bytes);
  }
  const resource = shared.finish();
  return scopeLogs.map((bytes) => scopeOf(bytes, resource));
}

function scopeOf(scopeLogs: Uint8Array, resource: Uint8Array): ScopeRecords {
  const own = new BinaryWriter();
  const records: Uint8Array[] = [];
  for (const { number, bytes } of messageFields(scopeLogs, [SCOPE, LOG_RECORDS, SCHEMA_URL])) {
    if (number === LOG_RECORDS) records.push(bytes.length === 0 ? EMPTY_RECORD : bytes);
    else if (number === SCOPE || number === SCHEMA_URL) writeField(own, number, bytes);
  }
  const scope = own.finish();
  const context =
    scope.length === 0
      ? resource
      : Buffer.concat([resource, writeField(new BinaryWriter(), SCOPE_LOGS, scope).finish()]);
  check(context, records);
  return { context, records };
}

function check(context: Uint8Array, records: readonly Uint8Array[]): void {
  try {
    ResourceLogs.decode(context);
    for (const record of records) LogRecord.decode(record);
  } catch {
    throw new OtlpFault('A log record, a resource or a scope is damaged, or is nested too deeply.');
  }
}
