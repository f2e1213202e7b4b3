import { PARSE_ERROR } from '../../formats/marker-attributes.ts';
import { POSTGRES_IDENTITY } from '../../formats/postgres/resource-attributes.ts';
import type { LogplexMessage } from '../../protocols/logplex/encode-message.ts';
import type { AttributeValue, LogRecord } from '../../records/log-record.ts';
import { hostOf } from '../../records/record-origin.ts';
import type { Resource } from '../../records/resource.ts';
import { priorityOf } from './priority.ts';

/**
 * Converts a record into a message without the token.
 *
 * PostgreSQL records have two styles. `classic` is the format of pg_logplexcollector: message, detail, hint
 * and query on separate lines, with a fixed priority and the host `postgres`. `structured` is the complete
 * record as one line of PostgreSQL's jsonlog, with its own severity and host. For all other records, both
 * styles send the body.
 */
export function messageOfRecord(
  record: LogRecord,
  style: MessageStyle,
  label: Label,
): Omit<LogplexMessage, 'token'> {
  const isPostgres = POSTGRES_FORMATS.has(record.format) && !record.attributes.has(PARSE_ERROR);
  const classic = isPostgres && style.text === 'classic';
  return {
    priority: classic ? CLASSIC_PRIORITY : priorityOf(record),
    timeUnixNano: record.timeUnixNano ?? record.observedTimeUnixNano,
    host: style.host ?? (classic ? CLASSIC_HOST : (hostOf(record) ?? '')),
    processId: processIdOf(record, classic),
    text: isPostgres ? postgresText(record, style.text, label) : record.body,
  };
}

export type TextStyle = 'classic' | 'structured';

export interface MessageStyle {
  readonly text: TextStyle;
  /** Overrides the host of the style or the record. */
  readonly host: string | undefined;
}

/** The text in brackets before a PostgreSQL record in classic style; undefined: no label. */
export type Label = string | undefined;

/** The operator's name for the server, if it differs from the identity. */
export function labelInResource(resource: Resource): Label {
  const identity = resource.get(POSTGRES_IDENTITY);
  const service = resource.get('service.name');
  return identity === undefined || service === identity ? undefined : service;
}

const POSTGRES_FORMATS: ReadonlySet<string> = new Set(['logfebe', 'postgres-csvlog', 'postgres-jsonlog']);

/** local0, informational. */
const CLASSIC_PRIORITY = 134;
const CLASSIC_HOST = 'postgres';

function processIdOf({ attributes, resource }: LogRecord, classic: boolean): string {
  const pid = attributes.get('pid') ?? attributes.get('process.pid') ?? resource.get('process.pid');
  const text = typeof pid === 'number' || typeof pid === 'string' ? String(pid) : '';
  return classic ? `${CLASSIC_HOST}.${text}` : text;
}

function postgresText({ attributes }: LogRecord, style: TextStyle, label: Label): string {
  return style === 'classic'
    ? classicText(attributes, label)
    : JSON.stringify(Object.fromEntries(attributes));
}

/** The prefix of each line and the name of its field, in order. */
const CLASSIC_LINES = [
  ['', 'message'],
  ['Detail: ', 'detail'],
  ['Hint: ', 'hint'],
  ['Query: ', 'statement'],
] as const;

function classicText(attributes: ReadonlyMap<string, AttributeValue>, label: Label): string {
  let text = label === undefined ? '' : `[${label}] `;
  for (const [prefix, name] of CLASSIC_LINES) {
    const value = attributes.get(name);
    if (typeof value === 'string') text += `${prefix}${value}\n`;
  }
  return text;
}
