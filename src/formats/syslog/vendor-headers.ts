import { BLANK, type ByteCursor, isDigit, ZERO } from '../byte-cursor.ts';
import type { RecordDecoder } from './record-decoder.ts';
import type { SyslogHeader } from './syslog-header.ts';

/**
 * FortiGate sends no header after the priority: `date=2024-04-02 time=19:53:43 devname="fw" tz="+0800" ...`.
 * The text of the message is the whole list of keys and values.
 */
export function readFortiGate(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): boolean {
  if (!cursor.startsWith('date=') || !isDigit(cursor.peek(5))) return false;
  const text = decoder.text(cursor.at, Math.min(cursor.end, cursor.at + MAX_FIELDS_BYTES));
  const [, year, month, day, hour, minute, second] = DATE_AND_TIME.exec(text) ?? [];
  if (second === undefined) return false;
  const [, sign, hours, minutes] = ZONE.exec(text) ?? [];
  const offset = Number(hours) * 60 + Number(minutes);
  header.time = {
    ...{ year: Number(year), month: Number(month), day: Number(day) },
    ...{ hour: Number(hour), minute: Number(minute), second: Number(second), nanosecond: 0 },
    offsetMinutes: sign === undefined ? undefined : sign === '-' ? -offset : offset,
  };
  header.timeStart = cursor.at;
  header.timeEnd = cursor.at + text.indexOf(second, text.indexOf(' time=')) + second.length;
  header.host = DEVICE_NAME.exec(text)?.[1];
  return true;
}

const MAX_FIELDS_BYTES = 4096;
const DATE_AND_TIME = /^date=(\d{4})-(\d\d)-(\d\d) time="?(\d\d):(\d\d):(\d\d)/;
const ZONE = / tz="?([+-])(\d\d):?(\d\d)/;
const DEVICE_NAME = / devname="?([^" ]{1,255})/;

/** Cisco Meraki: `1 1563249630.774247467 MX84 events type=vpn ...`, seconds since 1970 after the version. */
export function readMeraki(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): boolean {
  if (cursor.peek() !== ZERO + 1 || cursor.peek(1) !== BLANK) return false;
  const start = cursor.at;
  cursor.at += 2;
  const timeStart = cursor.at;
  const seconds = cursor.digits(10);
  if (cursor.at - timeStart < 10 || cursor.peek() !== DOT || !isDigit(cursor.peek(1))) {
    cursor.at = start;
    return false;
  }
  cursor.at++;
  const fractionStart = cursor.at;
  while (isDigit(cursor.peek())) cursor.at++;
  const fraction = decoder.text(fractionStart, Math.min(cursor.at, fractionStart + 9)).padEnd(9, '0');
  header.time = wallTimeOf(seconds, Number(fraction));
  header.timeStart = timeStart;
  header.timeEnd = cursor.at;
  cursor.skipBlanks();
  const hostStart = cursor.at;
  cursor.at = cursor.endOfToken();
  if (cursor.at > hostStart) header.host = decoder.text(hostStart, cursor.at);
  cursor.skip(BLANK);
  return true;
}

function wallTimeOf(unixSeconds: number, nanosecond: number): SyslogHeader['time'] {
  const date = new Date(unixSeconds * 1000);
  return {
    ...{ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() },
    ...{ hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() },
    ...{ nanosecond, offsetMinutes: 0 },
  };
}

const DOT = 0x2e;
