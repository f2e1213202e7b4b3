import type { LogRecord } from '../../records/log-record.ts';
import { type MessageDefaults, messageOfRecord } from './message-of-record.ts';
import type { SyslogMessage, WrittenMessage } from './syslog-message.ts';
import { writeJson } from './write-json.ts';
import { writeRfc3164 } from './write-rfc3164.ts';
import { writeRfc5424 } from './write-rfc5424.ts';

/** `raw`: the bytes of the record instead of a message. */
export type MessageFormat = 'rfc5424' | 'rfc3164' | 'json' | 'raw';

export interface MessageSettings extends MessageDefaults {
  readonly format: MessageFormat;
  /** For `rfc3164`: IANA name. */
  readonly timeZone: string;
  /** Maximum size of a message without its frame. */
  readonly maxBytes: number;
}

/** Writes one record as a message. `raw` writes its body. */
export function writeRecord(record: LogRecord, settings: MessageSettings): WrittenMessage {
  return settings.format === 'raw'
    ? cutBytes(Buffer.from(record.body), settings.maxBytes)
    : writeMessage(messageOfRecord(record, settings), settings);
}

export function writeMessage(
  message: SyslogMessage,
  { format, timeZone, maxBytes }: Pick<MessageSettings, 'format' | 'timeZone' | 'maxBytes'>,
): WrittenMessage {
  switch (format) {
    case 'rfc5424':
      return writeRfc5424(message, maxBytes);
    case 'rfc3164':
      return writeRfc3164(message, maxBytes, timeZone);
    case 'json':
      return writeJson(message, maxBytes);
    case 'raw':
      return cutBytes(Buffer.from(message.text), maxBytes);
  }
}

/** The bytes of a record without its line ending, with a mark of the missing bytes if there are too many. */
export function writeRaw(record: Uint8Array, maxBytes: number): WrittenMessage {
  return cutBytes(record.subarray(0, lengthWithoutLineEnd(record)), maxBytes);
}

const LONGEST_MARK = ' [truncated 9007199254740991 bytes]'.length;

function cutBytes(bytes: Uint8Array, maxBytes: number): WrittenMessage {
  if (bytes.length <= maxBytes) return { bytes, cutBytes: 0 };
  const kept = maxBytes - LONGEST_MARK;
  const missing = bytes.length - kept;
  const mark = Buffer.from(` [truncated ${missing} bytes]`);
  return { bytes: Buffer.concat([bytes.subarray(0, kept), mark]), cutBytes: missing };
}

const LF = 0x0a;
const CR = 0x0d;

function lengthWithoutLineEnd(bytes: Uint8Array): number {
  if (bytes.at(-1) !== LF) return bytes.length;
  return bytes.at(-2) === CR ? bytes.length - 2 : bytes.length - 1;
}
