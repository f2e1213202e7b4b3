import type { Position } from './position.ts';
import type { Resource } from './resource.ts';
import type { StreamId } from './stream-id.ts';

/** A complete record in OpenTelemetry's log data model; created only when an emitter or a filter needs it. */
export interface LogRecord extends ParsedRecord {
  readonly observedTimeUnixNano: bigint;
  readonly resource: Resource;
  readonly format: string;
  readonly stream: StreamId;
  readonly position: Position;
  /** A filter has split the record: the number of this part, from 0. Absent: it is the whole record. */
  readonly part?: number | undefined;
}

/** A value of an attribute: any JSON value. */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = ReadonlyMap<string, AttributeValue>;

/**
 * OpenTelemetry's severity number: 1-4 TRACE, 5-8 DEBUG, 9-12 INFO, 13-16 WARN, 17-20 ERROR, 21-24 FATAL; 0
 * unknown.
 */
export type SeverityNumber = number;

/** The content of one record, as read by its format. Absent: the bytes do not contain it. */
export interface ParsedRecord {
  /** The time in the record. */
  readonly timeUnixNano?: bigint | undefined;
  readonly severityNumber?: SeverityNumber | undefined;
  /** The severity in the source's words. */
  readonly severityText?: string | undefined;
  readonly body: string;
  readonly attributes: Attributes;
}
