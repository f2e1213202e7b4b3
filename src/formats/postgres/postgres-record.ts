import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import { parseLogTime } from './log-time.ts';
import { type PostgresSeverity, severityOfLabel } from './severity.ts';
import { READ_AS_LATIN1 } from './text-reader.ts';

/**
 * The record of a PostgreSQL log line of any format, from its attributes under the names of jsonlog, which
 * stay as they are: a tailed csvlog, a tailed jsonlog and a logfebe socket read the same.
 *
 * `severity`: where the attributes hold only its label. jsonlog leaves SQLSTATE 00000 out and the others do
 * not; here it is always there.
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
