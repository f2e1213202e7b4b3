import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import { parseLogTime } from './parse-log-time.ts';
import { type PostgresSeverity, severityOfLabel } from './postgres-severity.ts';
import { READ_AS_LATIN1 } from './text-reader.ts';

/**
 * Creates the record of a PostgreSQL log line of any format from its attributes, which have the names of
 * jsonlog and stay unchanged: records of csvlog, jsonlog and a logfebe socket are equal.
 *
 * `severity`: for attributes that contain only its label. jsonlog omits SQLSTATE 00000 and the other formats
 * do not; here it is always present.
 */
export function postgresRecord(
  attributes: Map<string, AttributeValue>,
  foreignText: boolean,
  severity: PostgresSeverity = severityIn(attributes),
): ParsedRecord {
  if (!attributes.has('state_code')) attributes.set('state_code', SUCCESS);
  if (foreignText) attributes.set(READ_AS_LATIN1, true);
  const timeUnixNano = parseLogTime(textIn(attributes, 'timestamp'));
  return {
    timeUnixNano,
    severityNumber: severity.number,
    severityText: severity.label,
    body: textIn(attributes, 'message'),
    attributes,
  };
}

/** The SQLSTATE of success. */
const SUCCESS = '00000';

function severityIn(attributes: ReadonlyMap<string, AttributeValue>): PostgresSeverity {
  return severityOfLabel(textIn(attributes, 'error_severity'), textIn(attributes, 'state_code'));
}

function textIn(attributes: ReadonlyMap<string, AttributeValue>, name: string): string {
  const value = attributes.get(name);
  return typeof value === 'string' ? value : '';
}
