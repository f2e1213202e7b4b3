import { type AccessLogOrigin, scanAccessLogOrigin } from './access-log-origin.ts';
import {
  ACCESS_LOG_TIME_LENGTH,
  parseAccessLogTime,
  parseOtherAccessLogTime,
} from './parse-access-log-time.ts';
import { type QuotedField, scanQuotedField } from './scan-quoted-field.ts';

/** The unparsed fields of a line in Common or Combined Log Format; undefined for `-`. */
export interface AccessLogLine extends AccessLogOrigin {
  /** undefined: the line's time is unknown, or outside 64 bits of nanoseconds. */
  readonly timeUnixNano: bigint | undefined;
  /** The text of such a time. */
  readonly timeText: string | undefined;
  /** Unescaped. undefined: no request was read before the connection ended. */
  readonly request: string | undefined;
  readonly status: number | undefined;
  readonly size: string | undefined;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** The rest of the line after the known fields. */
  readonly rest: string | undefined;
  /** False: an escaped byte (`\xff`) is not UTF-8. */
  readonly valid: boolean;
}

/**
 *     [virtual-host ]client ident user [time] "request" status size[ "referer" "user agent"][ rest]
 *
 * A user name may contain blanks and brackets, so the scan starts at the time: the first ` [time] "`. Text
 * before it cannot have this form, since servers escape quotes in user names; the text after it is not
 * searched.
 */
export function scanAccessLogLine(line: string): AccessLogLine | undefined {
  const time = findTime(line) ?? findOtherTime(line);
  if (time === undefined) return undefined;
  const origin = scanAccessLogOrigin(line.slice(0, time.start));
  const request = scanQuotedField(line, time.end);
  if (origin === undefined || request === undefined) return undefined;
  STATUS_AND_SIZE.lastIndex = request.end;
  const numbers = STATUS_AND_SIZE.exec(line);
  if (numbers === null) return undefined;
  const [matched, status = '-', size = '-'] = numbers;
  const tail = scanTail(line, request.end + matched.length);
  return {
    server: origin.server,
    client: origin.client,
    forwardedFor: origin.forwardedFor,
    ident: origin.ident,
    user: origin.user,
    timeUnixNano: time.unixNano,
    timeText: time.unixNano === undefined ? time.text : undefined,
    request: value(request.text),
    status: status === '-' ? undefined : Number(status),
    // Some servers write -1 for an unknown value.
    size: size.startsWith('-') ? undefined : value(size),
    referer: value(tail.referer?.text),
    userAgent: value(tail.userAgent?.text),
    rest: tail.rest === '' ? undefined : tail.rest,
    valid: request.valid && (tail.referer?.valid ?? true) && (tail.userAgent?.valid ?? true),
  };
}

/** Sticky: it matches at one position only. The size may be missing. */
const STATUS_AND_SIZE = / (-|[0-9]{3})(?: (-|-?[0-9]{1,20})(?= |$))?(?= |$)/y;

/** `start`: of ` [`; `end`: of the quote that opens the request. */
interface FoundTime {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly unixNano: bigint | undefined;
}

function findTime(line: string): FoundTime | undefined {
  for (let at = line.indexOf(' ['); at >= 0; at = line.indexOf(' [', at + 1)) {
    const timeEnd = at + 2 + ACCESS_LOG_TIME_LENGTH;
    if (!line.startsWith('] "', timeEnd)) continue;
    const text = line.slice(at + 2, timeEnd);
    const unixNano = parseAccessLogTime(text);
    if (unixNano !== undefined) return { start: at, end: timeEnd + 2, text, unixNano };
  }
  return undefined;
}

/**
 * A time in another notation: `[2026-03-05T10:00:00+01:00]`, `[1772704800.123]`; or one that is not
 * understood.
 */
function findOtherTime(line: string): FoundTime | undefined {
  const [matched, text = ''] = OTHER_TIME.exec(line) ?? [];
  if (matched === undefined) return undefined;
  const start = line.indexOf(matched);
  return { start, end: start + matched.length - 1, text, unixNano: parseOtherAccessLogTime(text) };
}

const OTHER_TIME = / \[(\d[^\]"[]{0,62})\] "/;

interface Tail {
  readonly referer?: QuotedField;
  readonly userAgent?: QuotedField;
  readonly rest: string;
}

/** ` "referer" "user agent"` when both are there, and what follows. */
function scanTail(line: string, start: number): Tail {
  const referer = line[start] === ' ' ? scanQuotedField(line, start + 1) : undefined;
  const userAgent = referer && line[referer.end] === ' ' ? scanQuotedField(line, referer.end + 1) : undefined;
  if (referer === undefined || userAgent === undefined) return { rest: line.slice(start).trimStart() };
  return { referer, userAgent, rest: line.slice(userAgent.end).trimStart() };
}

/** `-` and an empty text both mean that there is no value. */
function value(text: string | undefined): string | undefined {
  return text === '-' || text === '' ? undefined : text;
}
