import type { AdditionalFields } from './additional-fields.ts';
import type { GelfLevel } from './gelf-level.ts';

/** A message with nothing left to decide: one JSON object. */
export interface GelfDocument {
  readonly host: string;
  readonly shortMessage: string;
  readonly fullMessage: string | undefined;
  /** Seconds since 1970, with decimals. */
  readonly timestamp: number;
  readonly level: GelfLevel;
  readonly fields: AdditionalFields;
}

/** The JSON text of GELF 1.1. Holds neither a NUL byte nor a line feed: JSON escapes both. */
export function documentJson(document: GelfDocument): string {
  return JSON.stringify({
    version: '1.1',
    host: document.host,
    short_message: document.shortMessage,
    full_message: document.fullMessage,
    timestamp: document.timestamp,
    level: document.level,
    ...Object.fromEntries(document.fields),
  });
}
