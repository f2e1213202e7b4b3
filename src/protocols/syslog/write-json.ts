import { cutText, jsonLength } from '../gelf/cut-text.ts';
import { FACILITY_NAMES, SEVERITY_NAMES } from './codes.ts';
import { rfc3339Micros } from './message-time.ts';
import type { SyslogMessage, WrittenMessage } from './syslog-message.ts';

/** Fields that leave less room than this for the text are left out. */
const MIN_TEXT_BYTES = 256;

/** Writes a message as one JSON object, with the keys that pyloggr and the source `syslog` read. */
export function writeJson(message: SyslogMessage, maxBytes: number): WrittenMessage {
  const head = headOf(message);
  const full = JSON.stringify({ ...head, ...extrasOf(message), message: '' });
  const extrasFit = Buffer.byteLength(full) + MIN_TEXT_BYTES <= maxBytes;
  const extras = extrasFit ? extrasOf(message) : {};
  const shell = extrasFit ? full : JSON.stringify({ ...head, message: '' });
  const { text, cutBytes } = cutText(message.text, maxBytes - Buffer.byteLength(shell));
  const bytes = Buffer.from(JSON.stringify({ ...head, ...extras, message: text }));
  return { bytes, cutBytes: cutBytes + (extrasFit ? 0 : jsonLength(full) - jsonLength(shell)) };
}

function headOf(message: SyslogMessage): Record<string, string> {
  return {
    timereported: rfc3339Micros(message.timeUnixNano),
    severity: SEVERITY_NAMES[message.severity] ?? 'notice',
    facility: FACILITY_NAMES[message.facility] ?? 'user',
    ...(message.host !== '' && { source: message.host.slice(0, 255) }),
    ...(message.app !== '' && { app_name: message.app.slice(0, 48) }),
    ...(message.processId !== '' && { procid: message.processId.slice(0, 128) }),
    ...(message.messageId !== '' && { msgid: message.messageId.slice(0, 32) }),
  };
}

function extrasOf({ structuredData, fields }: SyslogMessage): Record<string, unknown> {
  const elements = [...structuredData].map(([id, parameters]) => [id, Object.fromEntries(parameters)]);
  return {
    ...(elements.length > 0 && { structured_data: Object.fromEntries(elements) }),
    ...(Object.keys(fields).length > 0 && { custom_fields: fields }),
  };
}
