import { fitText } from './fit-text.ts';
import { headerField, LONGEST } from './header-field.ts';
import { rfc3339Micros } from './message-time.ts';
import { writeStructuredData } from './structured-data.ts';
import { priorityOf, type SyslogMessage, type WrittenMessage } from './syslog-message.ts';

/** Structured data that leaves less room than this for the text is left out. */
const MIN_TEXT_BYTES = 256;

/**
 * Writes `<34>1 2003-10-11T22:14:15.003000Z host app 42 ID47 [a@1 b="c"] text`, at most `maxBytes` long. A
 * text that is too long ends with a mark of the missing bytes.
 */
export function writeRfc5424(message: SyslogMessage, maxBytes: number): WrittenMessage {
  const fields = [
    `<${priorityOf(message)}>1`,
    rfc3339Micros(message.timeUnixNano),
    headerField(message.host, LONGEST.host),
    headerField(message.app, LONGEST.app),
    headerField(message.processId, LONGEST.processId),
    headerField(message.messageId, LONGEST.messageId),
  ].join(' ');
  const data = Buffer.from(writeStructuredData(message.structuredData));
  const dataFits = fields.length + data.length + MIN_TEXT_BYTES <= maxBytes;
  const head = Buffer.concat([Buffer.from(`${fields} `), dataFits ? data : Buffer.from('-')]);
  const lost = dataFits ? 0 : data.length;
  if (message.text === '') return { bytes: head, cutBytes: lost };
  const { parts, missingBytes } = fitText(message.text, maxBytes - head.length - 1, 'truncate');
  return { bytes: Buffer.concat([head, SPACE, ...parts]), cutBytes: missingBytes + lost };
}

const SPACE = Buffer.from(' ');
