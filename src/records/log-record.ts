import type { Position } from './position.ts';
import type { Resource } from './resource.ts';
import type { StreamId } from './stream-id.ts';

/** A value of an attribute: what JSON can say. */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = ReadonlyMap<string, AttributeValue>;

/**
 * OpenTelemetry's severity number: 1-4 TRACE, 5-8 DEBUG, 9-12 INFO, 13-16 WARN, 17-20 ERROR, 21-24 FATAL; 0 unknown.
 */
export type SeverityNumber = number;

/** What a format reads from the bytes of one record. Absent means: the bytes do not say. */
export interface ParsedRecord {
  /** When it happened, by the record's own word. */
  readonly timeUnixNano?: bigint | undefined;
  readonly severityNumber?: SeverityNumber | undefined;
  /** The severity as the source calls it. */
  readonly severityText?: string | undefined;
  readonly body: string;
  readonly attributes: Attributes;
}

/** A record in full, in OpenTelemetry's log data model; made only when an emitter or a filter asks for it. */
export interface LogRecord extends ParsedRecord {
  readonly observedTimeUnixNano: bigint;
  readonly resource: Resource;
  readonly format: string;
  readonly stream: StreamId;
  readonly position: Position;
}
