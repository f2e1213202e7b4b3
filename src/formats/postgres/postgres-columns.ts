import type { AttributeValue } from '../../records/log-record.ts';

/**
 * The columns of a PostgreSQL log record in the order that csvlog and logfebe share, as text; undefined is
 * null. logfebe ends after `application_name`, as csvlog did before PostgreSQL 13.
 */
export type PostgresColumns = readonly (string | undefined)[];

/**
 * Converts columns to attributes, with the names and rules of PostgreSQL's own jsonlog: null is left out,
 * positions start at 1, host and port are separate, and so are function, file and line.
 */
export function attributesOfColumns(columns: PostgresColumns): Map<string, AttributeValue> {
  const attributes = new Map<string, AttributeValue>();
  for (const [index, put] of COLUMNS.entries()) {
    const value = columns[index];
    if (value !== undefined) put(attributes, value);
  }
  return attributes;
}

type Put = (attributes: Map<string, AttributeValue>, value: string) => void;

const text =
  (name: string): Put =>
  (attributes, value) =>
    attributes.set(name, value);

const textUnlessEmpty =
  (name: string): Put =>
  (attributes, value) =>
    value === '' || attributes.set(name, value);

const integer =
  (name: string): Put =>
  (attributes, value) =>
    attributes.set(name, integerOf(value));

const position =
  (name: string): Put =>
  (attributes, value) =>
    Number(value) > 0 && attributes.set(name, integerOf(value));

/** `127.0.0.1:5432`, `::1:5432`, `[local]`. */
const remote: Put = (attributes, value) => {
  const [, host, port] = /^(.*):(\d+)$/s.exec(value) ?? [];
  attributes.set('remote_host', host ?? value);
  if (port !== undefined) attributes.set('remote_port', Number(port));
};

/** `int4div, int.c:869`, `int.c:869`, or empty. */
const location: Put = (attributes, value) => {
  if (value === '') return;
  const [, func, file, line] = /^(?:(.*), )?(.*):(\d+)$/s.exec(value) ?? [];
  if (func !== undefined) attributes.set('func_name', func);
  attributes.set('file_name', file ?? value);
  if (line !== undefined) attributes.set('file_line_num', Number(line));
};

const COLUMNS: readonly Put[] = [
  text('timestamp'),
  text('user'),
  text('dbname'),
  integer('pid'),
  remote,
  text('session_id'),
  integer('line_num'),
  text('ps'),
  text('session_start'),
  text('vxid'),
  integer('txid'),
  text('error_severity'),
  text('state_code'),
  text('message'),
  text('detail'),
  text('hint'),
  text('internal_query'),
  position('internal_position'),
  text('context'),
  text('statement'),
  position('cursor_position'),
  location,
  textUnlessEmpty('application_name'),
  text('backend_type'),
  integer('leader_pid'),
  // A signed 64-bit number that is never used for arithmetic: always a text, so that a store sees one type.
  text('query_id'),
];

/** The columns of csvlog before PostgreSQL 13, and of logfebe. */
export const OLD_COLUMN_COUNT = 23;

/** A number if it is exact, otherwise its digits. */
function integerOf(value: string): AttributeValue {
  const number = Number(value);
  return value !== '' && Number.isSafeInteger(number) ? number : value;
}
