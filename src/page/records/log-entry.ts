import type { Severity } from './severity.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A record as the API returns it. */
export interface LogEntry {
  readonly time: string;
  readonly observedTime: string;
  readonly severity: Severity | null;
  readonly severityNumber: number | null;
  readonly severityText: string | null;
  readonly host: string | null;
  readonly service: string | null;
  readonly source: string | null;
  readonly format: string;
  readonly body: string;
  readonly attributes: { readonly [name: string]: Json };
  readonly stream: string;
  readonly position: number;
}

/** Its identity: `STREAM:POSITION`. */
export function entryId({ stream, position }: Pick<LogEntry, 'stream' | 'position'>): string {
  return `${stream}:${position}`;
}

/** About the memory of an entry. */
export function entryBytes({ body, attributes }: LogEntry): number {
  return body.length + jsonCharacters(attributes) + 400;
}

function jsonCharacters(value: Json): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = 16;
  for (const [name, each] of Object.entries(value)) sum += name.length + jsonCharacters(each as Json);
  return sum;
}
