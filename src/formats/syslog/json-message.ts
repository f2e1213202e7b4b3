import { facilityCodeOf } from '../../protocols/syslog/codes.ts';
import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { parseJson } from '../json.ts';
import type { RecordText } from '../record-text.ts';
import { type FieldKeys, USUAL_KEYS } from '../take-fields.ts';
import { FACILITY, PROCESS_ID, STRUCTURED_DATA } from './syslog-attributes.ts';

/**
 * A message that is a JSON object. The keys of pyloggr and of rsyslog's usual JSON template have the meaning of
 * the fields of syslog; any other object is read like the format `json`.
 */
export function parseJsonMessage(record: RecordText, context: RecordContext | undefined): ParsedRecord {
  const parsed = parseJson(record, KEYS, context);
  if (!OWN_KEYS.some((key) => parsed.attributes.has(key))) return parsed;
  const attributes = new Map(parsed.attributes);
  for (const [key, name, read] of RENAMED) {
    const value = attributes.get(key);
    const meaning = value === undefined ? undefined : read(value);
    if (meaning === undefined || attributes.has(name)) continue;
    attributes.delete(key);
    attributes.set(name, meaning);
  }
  return { ...parsed, attributes };
}

const KEYS: FieldKeys = {
  ...USUAL_KEYS,
  time: ['timereported', 'timegenerated', ...USUAL_KEYS.time],
  level: ['severity', ...USUAL_KEYS.level],
};

/** One of these shows that the keys are those of syslog. */
const OWN_KEYS = ['app_name', 'programname', 'syslogtag', 'procid', 'structured_data', 'facility'] as const;

type Read = (value: AttributeValue) => AttributeValue | undefined;

const text: Read = (value) =>
  typeof value === 'string' && value !== '' && value !== '-' ? value : undefined;

const RENAMED: readonly (readonly [key: string, name: string, read: Read])[] = [
  ['source', 'host.name', text],
  ['app_name', 'service.name', text],
  ['programname', 'service.name', text],
  ['procid', PROCESS_ID, processId],
  ['facility', FACILITY, facility],
  ['structured_data', STRUCTURED_DATA, (value) => (typeof value === 'object' ? value : undefined)],
];

function processId(value: AttributeValue): AttributeValue | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

/** A name, or the code from 0 to 23. */
function facility(value: AttributeValue): AttributeValue | undefined {
  if (typeof value === 'number')
    return Number.isInteger(value) && value >= 0 && value <= 23 ? value : undefined;
  return typeof value === 'string' ? facilityCodeOf(value) : undefined;
}
