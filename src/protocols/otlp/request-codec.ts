import { BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  InstrumentationScope,
  type KeyValue,
} from '../../records/gen/opentelemetry/proto/common/v1/common.ts';
import { LogRecord } from '../../records/gen/opentelemetry/proto/logs/v1/logs.ts';
import { Resource } from '../../records/gen/opentelemetry/proto/resource/v1/resource.ts';
import { writeField } from './message-fields.ts';
import { jsonKeyValues, jsonLogRecord } from './write-json.ts';

/** The values that the log records of one group share. */
export interface RecordGroup {
  readonly resource: readonly KeyValue[];
  readonly resourceSchemaUrl: string;
  readonly scope: InstrumentationScope | undefined;
  readonly scopeSchemaUrl: string;
}

/** Log records of one group, encoded by the codec. */
export interface EncodedGroup extends RecordGroup {
  readonly records: readonly Uint8Array[];
}

/** Encodes requests. Records are encoded first, so that their sizes are known. */
export interface RequestCodec {
  readonly contentType: string;
  record(record: LogRecord): Uint8Array;
  request(groups: readonly EncodedGroup[]): Buffer;
}

export const protobufCodec: RequestCodec = {
  contentType: 'application/x-protobuf',
  record: (record) => LogRecord.encode(record).finish(),
  request: (groups) => {
    const writer = new BinaryWriter();
    for (const group of groups) writeField(writer, 1, resourceLogs(group));
    return bufferOf(writer.finish());
  },
};

/** The mapping of OTLP: ids in hexadecimal digits, 64-bit integers as texts. */
export const jsonCodec: RequestCodec = {
  contentType: 'application/json',
  record: (record) => Buffer.from(JSON.stringify(jsonLogRecord(record))),
  request: (groups) => {
    const parts = groups.map((group) => {
      const { resource, resourceSchemaUrl: schemaUrl } = group;
      const head = JSON.stringify({ resource: { attributes: jsonKeyValues(resource) }, schemaUrl });
      return [`${head.slice(0, -1)},"scopeLogs":[`, ...jsonScopeLogs(group), ']}'];
    });
    const joined = parts.flatMap((part, index) => (index === 0 ? part : [',', ...part]));
    return Buffer.concat(['{"resourceLogs":[', ...joined, ']}'].map(bytesOf));
  },
};

function resourceLogs({ resource, resourceSchemaUrl, scope, scopeSchemaUrl, records }: EncodedGroup) {
  const encoded = Resource.encode({ attributes: [...resource], droppedAttributesCount: 0 }).finish();
  const scopeLogs = new BinaryWriter();
  if (scope !== undefined) writeField(scopeLogs, 1, InstrumentationScope.encode(scope).finish());
  for (const record of records) writeField(scopeLogs, 2, record);
  if (scopeSchemaUrl !== '') writeField(scopeLogs, 3, Buffer.from(scopeSchemaUrl));
  const writer = writeField(new BinaryWriter(), 1, encoded);
  writeField(writer, 2, scopeLogs.finish());
  if (resourceSchemaUrl !== '') writeField(writer, 3, Buffer.from(resourceSchemaUrl));
  return writer.finish();
}

function jsonScopeLogs({ scope, scopeSchemaUrl, records }: EncodedGroup): readonly (string | Uint8Array)[] {
  const head = JSON.stringify({
    ...(scope && {
      scope: { name: scope.name, version: scope.version, attributes: jsonKeyValues(scope.attributes) },
    }),
    schemaUrl: scopeSchemaUrl,
  });
  const list = records.flatMap((record, index) => (index === 0 ? [record] : [',', record]));
  return [`${head.slice(0, -1)},"logRecords":[`, ...list, ']}'];
}

function bytesOf(part: string | Uint8Array): Uint8Array {
  return typeof part === 'string' ? Buffer.from(part) : part;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
