import { ExportLogsServiceRequest } from '../../records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import type { AnyValue, KeyValue } from '../../records/gen/opentelemetry/proto/common/v1/common.ts';
import type {
  LogRecord,
  ResourceLogs,
  ScopeLogs,
} from '../../records/gen/opentelemetry/proto/logs/v1/logs.ts';
import { INT32, INT64, JsonObject, UINT32, UINT64 } from './json-object.ts';
import { OtlpFault } from './otlp-fault.ts';
import { OTLP_LIMITS } from './otlp-limits.ts';

/**
 * Encodes a request in JSON as protobuf. The mapping is that of OTLP: names in camel case, trace ids and span ids in
 * hexadecimal digits, 64-bit integers as texts. Throws an OtlpFault.
 */
export function protobufOfJson(text: string): Uint8Array {
  const resourceLogs = new JsonObject(parsed(text), 'The body').list('resourceLogs').map(resourceLogsOf);
  return ExportLogsServiceRequest.encode({ resourceLogs }).finish();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new OtlpFault('The body is not JSON.');
  }
}

function resourceLogsOf(json: JsonObject): ResourceLogs {
  const resource = json.object('resource');
  return {
    resource: resource && {
      attributes: keyValues(resource, 'attributes'),
      droppedAttributesCount: Number(resource.integer('droppedAttributesCount', UINT32)),
    },
    scopeLogs: json.list('scopeLogs').map(scopeLogsOf),
    schemaUrl: json.text('schemaUrl'),
  };
}

function scopeLogsOf(json: JsonObject): ScopeLogs {
  const scope = json.object('scope');
  return {
    scope: scope && {
      name: scope.text('name'),
      version: scope.text('version'),
      attributes: keyValues(scope, 'attributes'),
      droppedAttributesCount: Number(scope.integer('droppedAttributesCount', UINT32)),
    },
    logRecords: json.list('logRecords').map(logRecordOf),
    schemaUrl: json.text('schemaUrl'),
  };
}

function logRecordOf(json: JsonObject): LogRecord {
  const body = json.object('body');
  return {
    timeUnixNano: json.integer('timeUnixNano', UINT64),
    observedTimeUnixNano: json.integer('observedTimeUnixNano', UINT64),
    severityNumber: Number(json.integer('severityNumber', INT32)),
    severityText: json.text('severityText'),
    body: body && anyValue(body, OTLP_LIMITS.valueDepth),
    attributes: keyValues(json, 'attributes'),
    droppedAttributesCount: Number(json.integer('droppedAttributesCount', UINT32)),
    flags: Number(json.integer('flags', UINT32)),
    traceId: hexBytes(json, 'traceId'),
    spanId: hexBytes(json, 'spanId'),
    eventName: json.text('eventName'),
  };
}

function keyValues(json: JsonObject, name: string, depth: number = OTLP_LIMITS.valueDepth): KeyValue[] {
  return json.list(name).map((each) => {
    const value = each.object('value');
    return { key: each.text('key'), value: value && anyValue(value, depth) };
  });
}

function anyValue(json: JsonObject, depth: number): AnyValue {
  if (depth === 0) throw new OtlpFault(`A value is nested deeper than ${OTLP_LIMITS.valueDepth} levels.`);
  return { value: heldValue(json, depth - 1) };
}

function heldValue(json: JsonObject, depth: number): AnyValue['value'] {
  if (json.has('stringValue')) return { $case: 'stringValue', value: json.text('stringValue') };
  if (json.has('boolValue')) return { $case: 'boolValue', value: json.boolean('boolValue') };
  if (json.has('intValue')) return { $case: 'intValue', value: json.integer('intValue', INT64) };
  if (json.has('doubleValue')) return { $case: 'doubleValue', value: json.double('doubleValue') };
  if (json.has('bytesValue'))
    return { $case: 'bytesValue', value: Buffer.from(json.text('bytesValue'), 'base64') };
  const array = json.object('arrayValue');
  if (array !== undefined)
    return {
      $case: 'arrayValue',
      value: { values: array.list('values').map((each) => anyValue(each, depth)) },
    };
  const map = json.object('kvlistValue');
  return map && { $case: 'kvlistValue', value: { values: keyValues(map, 'values', depth) } };
}

function hexBytes(json: JsonObject, name: string): Buffer {
  const text = json.text(name);
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw new OtlpFault(`${name} must be hexadecimal digits.`);
  return Buffer.from(text, 'hex');
}
