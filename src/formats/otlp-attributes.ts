/**
 * The attributes of fields of OTLP, with the names that OpenTelemetry recommends for other formats. The format `otlp`
 * writes them, and the emitter `otlp` sends them as these fields again.
 */
export const OTLP_ATTRIBUTES = {
  /** 32 and 16 hexadecimal digits. */
  traceId: 'trace_id',
  spanId: 'span_id',
  /** A number; its lowest 8 bits are the trace flags of W3C. */
  traceFlags: 'trace_flags',
  eventName: 'otel.event.name',
  droppedAttributesCount: 'otel.dropped_attributes_count',
  /** RFC 3339, in a record with a time of its own. */
  observedTime: 'otel.observed_time',
  scopeName: 'otel.scope.name',
  scopeVersion: 'otel.scope.version',
  /** An object. */
  scopeAttributes: 'otel.scope.attributes',
  scopeSchemaUrl: 'otel.scope.schema_url',
  resourceSchemaUrl: 'otel.resource.schema_url',
} as const;
