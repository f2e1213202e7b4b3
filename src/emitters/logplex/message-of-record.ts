import { PARSE_ERROR } from '../../formats/marker-attributes.ts';
import { POSTGRES_IDENTITY } from '../../formats/postgres/resource-attributes.ts';
import type { LogplexMessage } from '../../protocols/logplex/encode-message.ts';
import type { AttributeValue, LogRecord } from '../../records/log-record.ts';
import type { Resource } from '../../records/resource.ts';
import { priorityOf } from './priority.ts';

export type TextStyle = 'classic' | 'structured';

export interface MessageStyle {
  readonly text: TextStyle;
  /** Instead of the one that the style or the record gives. */
  readonly host: string | undefined;
}

/** What stands in brackets before a PostgreSQL record in classic text; undefined: nothing. */
export type Label = string | undefined;

/**
 * A record as a message, but for the token.
 *
 * PostgreSQL's records have two styles. `classic` is what pg_logplexcollector has always sent: message, detail, hint and
 * query, one below the other, at one priority, from the host `postgres`. `structured` leaves nothing out: the record as
 * one line of PostgreSQL's jsonlog, at its own severity, from its own host. What is no such record is its body, in either.
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
    host: style.host ?? (classic ? CLASSIC_HOST : (record.resource.get('host.name') ?? '')),
    processId: processIdOf(record, classic),
    text: isPostgres ? postgresText(record, style.text, label) : record.body,
  };
}

/** By what an operator calls the server; its identity is no name for people. */
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

/** What stands before each line, and the name of the field behind it, in the order of the lines. */
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
