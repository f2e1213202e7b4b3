import { fitText } from './fit-text.ts';
import { headerField, LONGEST } from './header-field.ts';
import { bsdTime } from './message-time.ts';
import { priorityOf, type SyslogMessage, type WrittenMessage } from './syslog-message.ts';

/**
 * Writes `<34>Oct 11 22:14:15 host app[42]: text`, at most `maxBytes` long. The format has no year, no zone,
 * no message id and no structured data; the time is in the time zone that the receiver assumes.
 */
export function writeRfc3164(message: SyslogMessage, maxBytes: number, timeZone: string): WrittenMessage {
  const host = headerField(message.host, LONGEST.host);
  const processId = message.processId === '' ? '' : `[${tagField(message.processId, LONGEST.processId)}]`;
  const tag = `${tagField(message.app, LONGEST.app)}${processId}`;
  const head = `<${priorityOf(message)}>${bsdTime(message.timeUnixNano, timeZone)} ${host} ${tag}: `;
  const { parts, missingBytes } = fitText(message.text, maxBytes - head.length, 'truncate');
  return { bytes: Buffer.concat([Buffer.from(head), ...parts]), cutBytes: missingBytes };
}

/** A receiver finds the end of the tag by `[`, `]` and `:`. */
function tagField(text: string, maxLength: number): string {
  return headerField(text, maxLength).replace(/[[\]:]/g, '_');
}
