import { isUtf8 } from 'node:buffer';
import { SHORTENED_FIELD } from '../protocols/journal-export/export-limits.ts';
import { type ExportField, readExportFields } from '../protocols/journal-export/read-export-fields.ts';
import { SEVERITY_NAMES } from '../protocols/syslog/codes.ts';
import type { AttributeValue, ParsedRecord } from '../records/log-record.ts';
import { HOST_NAME, SERVICE_NAME } from '../records/record-origin.ts';
import type { Format } from './format.ts';
import { INVALID_UTF8 } from './marker-attributes.ts';
import { plainRecord } from './plain.ts';
import { decodeUtf8, recordText } from './record-text.ts';
import { SYSLOG_SEVERITIES } from './severity.ts';

/**
 * An entry of systemd's journal in the export format. Well-known fields get the names of OpenTelemetry, or else of the
 * Elastic Common Schema. Other fields keep their names. A field that occurs several times is a list. The cursor and
 * the monotonic time are in the raw bytes only.
 */
export const journald: Format = {
  name: 'journald',
  description: "An entry of systemd's journal in the export format.",
  lines: false,
  parse: parseJournald,
};

function parseJournald(bytes: Uint8Array): ParsedRecord {
  const fields = readExportFields(bytes);
  if (fields === undefined)
    return plainRecord(recordText(bytes), 'not an entry in the journal export format');
  const attributes = new Map<string, AttributeValue>();
  let body: string | undefined;
  let time: bigint | undefined;
  let priority: number | undefined;
  for (const { name, value } of fields) {
    if (name === 'MESSAGE' && body === undefined) body = decodeUtf8(value);
    else if (name === '__REALTIME_TIMESTAMP' && isTime(value)) time = unixNano(value);
    else if (name === 'PRIORITY' && /^[0-7]$/.test(value.toString('latin1'))) priority = Number(value);
    else if (!HIDDEN.has(name)) addAttribute(attributes, name, value);
  }
  if (!fields.every(({ value }: ExportField) => isUtf8(value))) attributes.set(INVALID_UTF8, true);
  return { timeUnixNano: time, ...severityOf(priority), body: body ?? '', attributes };
}

const HIDDEN: ReadonlySet<string> = new Set([
  ...['__CURSOR', '__MONOTONIC_TIMESTAMP', '__SEQNUM', '__SEQNUM_ID', '_SOURCE_MONOTONIC_TIMESTAMP'],
]);

/** Microseconds. 20 digits are more than 64 bits. */
function isTime(value: Buffer): boolean {
  return /^\d{1,18}$/.test(value.toString('latin1'));
}

function unixNano(value: Buffer): bigint {
  return BigInt(value.toString('latin1')) * 1000n;
}

function severityOf(priority: number | undefined): Pick<ParsedRecord, 'severityNumber' | 'severityText'> {
  if (priority === undefined) return {};
  const severityText = SEVERITY_NAMES[priority];
  return { severityNumber: SYSLOG_SEVERITIES[priority], severityText };
}

function addAttribute(attributes: Map<string, AttributeValue>, field: string, value: Buffer): void {
  const { name, isNumber } = NAMES.get(field) ?? { name: field, isNumber: false };
  const text = decodeUtf8(value);
  const read = isNumber && /^\d{1,15}$/.test(text) ? Number(text) : text;
  const earlier = attributes.get(name);
  if (earlier === undefined) attributes.set(name, read);
  else attributes.set(name, Array.isArray(earlier) ? [...earlier, read] : [earlier, read]);
}

const text = (name: string) => ({ name, isNumber: false });
const number = (name: string) => ({ name, isNumber: true });

const NAMES: ReadonlyMap<string, { readonly name: string; readonly isNumber: boolean }> = new Map([
  ['_HOSTNAME', text(HOST_NAME)],
  ['_MACHINE_ID', text('host.id')],
  ['_BOOT_ID', text('host.boot.id')],
  ['SYSLOG_IDENTIFIER', text(SERVICE_NAME)],
  ['_PID', number('process.pid')],
  ['_COMM', text('process.executable.name')],
  ['_EXE', text('process.executable.path')],
  ['_CMDLINE', text('process.command_line')],
  ['_UID', number('process.user.id')],
  ['TID', number('thread.id')],
  ['CODE_FILE', text('code.file.path')],
  ['CODE_LINE', number('code.line.number')],
  ['CODE_FUNC', text('code.function.name')],
  ['SYSLOG_FACILITY', number('syslog.facility.code')],
  ['_SYSTEMD_UNIT', text('systemd.unit')],
  ['_SYSTEMD_USER_UNIT', text('systemd.user_unit')],
  ['_SYSTEMD_SLICE', text('systemd.slice')],
  ['_SYSTEMD_CGROUP', text('systemd.cgroup')],
  ['_SYSTEMD_INVOCATION_ID', text('systemd.invocation_id')],
  ['_TRANSPORT', text('systemd.transport')],
  ['_RUNTIME_SCOPE', text('systemd.runtime_scope')],
  ['MESSAGE_ID', text('systemd.message_id')],
  ['_NAMESPACE', text('systemd.namespace')],
  [SHORTENED_FIELD, text('megacollector.shortened_fields')],
]);
