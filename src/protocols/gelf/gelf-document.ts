import type { AdditionalFields } from './additional-fields.ts';
import type { GelfLevel } from './gelf-level.ts';

/** A complete message: one JSON object. */
export interface GelfDocument {
  readonly host: string;
  readonly shortMessage: string;
  readonly fullMessage: string | undefined;
  /** Seconds since 1970, with decimals. */
  readonly timestamp: number;
  readonly level: GelfLevel;
  readonly fields: AdditionalFields;
}

/**
 * The JSON text of GELF 1.1. It contains neither a NUL byte nor a line feed: JSON escapes both. It is built
 * by hand, since there is one for every message, and field names need no escapes.
 */
export function documentJson({
  host,
  shortMessage,
  fullMessage,
  timestamp,
  level,
  fields,
}: GelfDocument): string {
  let json = `{"version":"1.1","host":${JSON.stringify(host)},"short_message":${JSON.stringify(shortMessage)}`;
  if (fullMessage !== undefined) json += `,"full_message":${JSON.stringify(fullMessage)}`;
  json += `,"timestamp":${timestamp},"level":${level}`;
  for (const [name, value] of fields) {
    json += `,"${name}":${typeof value === 'number' ? numberJson(value) : JSON.stringify(value)}`;
  }
  return `${json}}`;
}

/** Finite, as all numbers of a document are. */
function numberJson(value: number): string {
  return Object.is(value, -0) ? '0' : String(value);
}
