import { BLANK, isDigit, ZERO } from '../byte-cursor.ts';
import type { MessageReader } from './message-reader.ts';

/**
 * FortiGate sends no header after the priority: `date=2024-04-02 time=19:53:43 devname="fw" tz="+0800" ...`.
 * The text of the message is the whole list of keys and values.
 */
export function readFortiGate(message: MessageReader): boolean {
  if (!message.startsWith('date=') || !isDigit(message.peek(5))) return false;
  const text = message.text(message.at, Math.min(message.end, message.at + MAX_FIELDS_BYTES));
  const [, year, month, day, hour, minute, second] = DATE_AND_TIME.exec(text) ?? [];
  if (second === undefined) return false;
  const [, sign, hours, minutes] = ZONE.exec(text) ?? [];
  const offset = Number(hours) * 60 + Number(minutes);
  message.time = {
    wall: {
      ...{ year: Number(year), month: Number(month), day: Number(day) },
      ...{ hour: Number(hour), minute: Number(minute), second: Number(second) },
    },
    nanosecond: 0,
    offsetMinutes: sign === undefined ? undefined : sign === '-' ? -offset : offset,
  };
  message.timeStart = message.at;
  message.timeEnd = message.at + text.indexOf(second, text.indexOf(' time=')) + second.length;
  message.host = DEVICE_NAME.exec(text)?.[1];
  return true;
}

const MAX_FIELDS_BYTES = 4096;
const DATE_AND_TIME = /^date=(\d{4})-(\d\d)-(\d\d) time="?(\d\d):(\d\d):(\d\d)/;
const ZONE = / tz="?([+-])(\d\d):?(\d\d)/;
const DEVICE_NAME = / devname="?([^" ]{1,255})/;

/** Cisco Meraki: `1 1563249630.774247467 MX84 events type=vpn ...`, seconds since 1970 after the version. */
export function readMeraki(message: MessageReader): boolean {
  if (message.peek() !== ZERO + 1 || message.peek(1) !== BLANK) return false;
  const start = message.at;
  message.at += 2;
  const timeStart = message.at;
  const seconds = message.digits(10);
  if (message.at - timeStart < 10 || message.peek() !== DOT || !isDigit(message.peek(1))) {
    message.at = start;
    return false;
  }
  message.at++;
  const fractionStart = message.at;
  while (isDigit(message.peek())) message.at++;
  const fraction = message.text(fractionStart, Math.min(message.at, fractionStart + 9)).padEnd(9, '0');
  message.time = wallTimeOf(seconds, Number(fraction));
  message.timeStart = timeStart;
  message.timeEnd = message.at;
  message.skipBlanks();
  const hostStart = message.at;
  message.at = message.endOfToken();
  if (message.at > hostStart) message.host = message.text(hostStart, message.at);
  message.skip(BLANK);
  return true;
}

function wallTimeOf(unixSeconds: number, nanosecond: number): MessageReader['time'] {
  const date = new Date(unixSeconds * 1000);
  return {
    wall: {
      ...{ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() },
      ...{ hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() },
    },
    ...{ nanosecond, offsetMinutes: 0 },
  };
}

const DOT = 0x2e;
