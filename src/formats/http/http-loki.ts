import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { HOST_NAME, SERVICE_NAME } from '../../records/record-origin.ts';
import { InnerFormat } from '../containers/inner-format.ts';
import type { Format } from '../format.ts';
import type { JsonObject } from '../json.ts';
import { INVALID_UTF8, LOKI_LABELS } from '../marker-attributes.ts';
import { plainRecord } from '../plain.ts';
import { type RecordText, recordText } from '../record-text.ts';
import { takeFields } from '../take-fields.ts';
import { parseText } from './http.ts';
import { rename } from './rename.ts';

/**
 * An entry of a stream of Loki: `["1700000000000000000","line",{structured metadata},{labels}]`. The last two may be
 * absent; the labels of the stream usually are an attribute of the peer. The line is read like that of the format
 * `http`. The time of the entry is the time of the record; structured metadata and labels win over fields of the line.
 */
export function lokiFormat(formatNamed: (name: string) => Format): Format {
  const inner = new InnerFormat(formatNamed);
  return {
    name: 'http-loki',
    description: "Entries of Loki's push API: a time, a line, labels and structured metadata.",
    lines: true,
    parse: (bytes, context) => parseEntry(bytes, inner, context),
  };
}

function parseEntry(bytes: Uint8Array, inner: InnerFormat, context: RecordContext | undefined): ParsedRecord {
  const record = recordText(bytes);
  const entry = entryIn(record);
  if (entry === undefined) return plainRecord(record, "not an entry of Loki's push API");
  const parsed = parseText(Buffer.from(entry.line), inner, context);
  const labels = entry.labels ?? labelsOf(context);
  const own = rename(new Map(Object.entries({ ...labels, ...entry.metadata })), NAMES);
  const { severityNumber, severityText } = takeFields(own, { ...NO_KEYS, level: LEVELS }, context);
  const attributes = new Map<string, AttributeValue>([...parsed.attributes, ...own]);
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  const severity = severityNumber === undefined ? {} : { severityNumber, severityText };
  return { ...parsed, ...severity, timeUnixNano: timeOf(entry.time), attributes };
}

interface Entry {
  readonly time: string;
  readonly line: string;
  readonly metadata: JsonObject;
  readonly labels: JsonObject | undefined;
}

function entryIn({ text }: RecordText): Entry | undefined {
  const value = valueIn(text);
  if (!Array.isArray(value)) return undefined;
  const [time, line, metadata, labels] = value as readonly unknown[];
  if (typeof time !== 'string' || typeof line !== 'string') return undefined;
  return { time, line, metadata: objectOf(metadata) ?? {}, labels: objectOf(labels) };
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): JsonObject | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : undefined;
}

/** The last one: consecutive records often have the same. */
let last: { readonly text: string; readonly labels: JsonObject } = { text: '{}', labels: {} };

function labelsOf(context: RecordContext | undefined): JsonObject {
  const text = context?.peer?.get(LOKI_LABELS) ?? context?.resource.get(LOKI_LABELS);
  if (text === undefined) return {};
  if (last.text !== text) last = { text, labels: objectOf(valueIn(text)) ?? {} };
  return last.labels;
}

/** Loki's times are nanoseconds; 0 and less is no time. */
function timeOf(text: string): bigint | undefined {
  return /^\d{1,19}$/.test(text) && BigInt(text) > 0n ? BigInt(text) : undefined;
}

const LEVELS = ['level', 'severity', 'severity_text', 'lvl', 'detected_level'];
const NO_KEYS = { time: [], message: [] };

/** Names of labels that agents and Loki use. Loki replaces the dots in names of OpenTelemetry. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['host', HOST_NAME],
  ['hostname', HOST_NAME],
  ['host_name', HOST_NAME],
  ['service', SERVICE_NAME],
  ['service_name', SERVICE_NAME],
  ['service_namespace', 'service.namespace'],
  ['service_version', 'service.version'],
  ['service_instance_id', 'service.instance.id'],
  ['deployment_environment', 'deployment.environment'],
  ['deployment_environment_name', 'deployment.environment.name'],
  ['filename', 'log.file.path'],
  ['traceID', 'trace_id'],
  ['traceId', 'trace_id'],
  ['spanID', 'span_id'],
  ['spanId', 'span_id'],
  ['namespace', 'k8s.namespace.name'],
  ['pod', 'k8s.pod.name'],
  ['container', 'k8s.container.name'],
  ['node_name', 'k8s.node.name'],
  ['cluster', 'k8s.cluster.name'],
  ['k8s_namespace_name', 'k8s.namespace.name'],
  ['k8s_pod_name', 'k8s.pod.name'],
  ['k8s_container_name', 'k8s.container.name'],
  ['k8s_node_name', 'k8s.node.name'],
  ['k8s_cluster_name', 'k8s.cluster.name'],
  ['k8s_deployment_name', 'k8s.deployment.name'],
  ['k8s_statefulset_name', 'k8s.statefulset.name'],
  ['k8s_daemonset_name', 'k8s.daemonset.name'],
]);
