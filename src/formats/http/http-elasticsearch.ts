import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { HOST_NAME } from '../../records/record-origin.ts';
import type { Format } from '../format.ts';
import { type JsonObject, parseObject } from '../json.ts';
import { recordText } from '../record-text.ts';
import { type FieldKeys, LEVEL_KEYS, MESSAGE_KEYS, TIME_KEYS } from '../take-fields.ts';
import { flatten } from './flatten.ts';
import { rename } from './rename.ts';

/** A document that a client sent to the bulk API of Elasticsearch. */
export const elasticsearch: Format = {
  name: 'http-elasticsearch',
  description:
    'Documents of the bulk API of Elasticsearch; nested fields are named by their path, and those of the Elastic Common Schema as in OpenTelemetry.',
  lines: true,
  parse: (bytes, context) => parseDocument(bytes, context),
};

function parseDocument(bytes: Uint8Array, context: RecordContext | undefined): ParsedRecord {
  return parseObject(recordText(bytes), { keys: KEYS, context, attributesOf });
}

const KEYS: FieldKeys = {
  time: ['@timestamp', ...TIME_KEYS],
  level: ['log.level', ...LEVEL_KEYS],
  message: MESSAGE_KEYS,
};

function attributesOf(object: JsonObject): Map<string, AttributeValue> {
  return rename(flatten(object), NAMES);
}

/** Names of the Elastic Common Schema, Beats and Fluent Bit, and those of OpenTelemetry. Equal names are not here. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['host', HOST_NAME],
  ['trace.id', 'trace_id'],
  ['span.id', 'span_id'],
  ['error.type', 'exception.type'],
  ['error.message', 'exception.message'],
  ['error.stack_trace', 'exception.stacktrace'],
  ['process.thread.id', 'thread.id'],
  ['process.thread.name', 'thread.name'],
  ['kubernetes.namespace', 'k8s.namespace.name'],
  ['kubernetes.namespace_name', 'k8s.namespace.name'],
  ['kubernetes.node.name', 'k8s.node.name'],
  ['kubernetes.host', 'k8s.node.name'],
  ['kubernetes.pod.name', 'k8s.pod.name'],
  ['kubernetes.pod_name', 'k8s.pod.name'],
  ['kubernetes.pod.uid', 'k8s.pod.uid'],
  ['kubernetes.pod_id', 'k8s.pod.uid'],
  ['kubernetes.container.name', 'k8s.container.name'],
  ['kubernetes.container_name', 'k8s.container.name'],
  ['kubernetes.deployment.name', 'k8s.deployment.name'],
]);
