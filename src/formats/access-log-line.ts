import { ACCESS_LOG_TIME_LENGTH, parseAccessLogTime } from './access-log-time.ts';
import { type Quoted, scanQuoted } from './quoted-field.ts';

/** The fields of a line in Common or Combined Log Format, as they stand there; undefined for `-`. */
export interface AccessLogLine {
  readonly host: string;
  readonly ident: string | undefined;
  readonly user: string | undefined;
  readonly timeUnixNano: bigint;
  /** Unescaped. undefined: no request was read before the connection ended. */
  readonly request: string | undefined;
  readonly status: number | undefined;
  readonly size: string | undefined;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** What follows the fields known here. */
  readonly rest: string | undefined;
  /** False: an escaped byte (`\xff`) is not UTF-8. */
  readonly valid: boolean;
}

/**
 *     host ident user [time] "request" status size[ "referer" "user agent"][ rest]
 *
 * A user name may hold blanks and brackets, so the time is what fixes the middle: the first ` [time] "`. Nothing before
 * it can look like that, since servers escape quotes in user names; nothing behind it is asked.
 */
export function scanAccessLogLine(line: string): AccessLogLine | undefined {
  const time = findTime(line);
  if (time === undefined) return undefined;
  const origin = scanOrigin(line.slice(0, time.start));
  const request = scanQuoted(line, time.end);
  if (origin === undefined || request === undefined) return undefined;
  STATUS_AND_SIZE.lastIndex = request.end;
  const numbers = STATUS_AND_SIZE.exec(line);
  if (numbers === null) return undefined;
  const [matched, status = '-', size = '-'] = numbers;
  const tail = scanTail(line, request.end + matched.length);
  return {
    host: origin.host,
    ident: origin.ident,
    user: origin.user,
    timeUnixNano: time.unixNano,
    request: value(request.text),
    status: status === '-' ? undefined : Number(status),
    size: value(size),
    referer: value(tail.referer?.text),
    userAgent: value(tail.userAgent?.text),
    rest: tail.rest === '' ? undefined : tail.rest,
    valid: request.valid && (tail.referer?.valid ?? true) && (tail.userAgent?.valid ?? true),
  };
}

/** Sticky: it is looked for in one place only. */
const STATUS_AND_SIZE = / (-|[0-9]{3}) (-|[0-9]{1,20})(?= |$)/y;

/** `start`: of ` [`; `end`: of the quote that opens the request. */
function findTime(line: string): { start: number; end: number; unixNano: bigint } | undefined {
  for (let at = line.indexOf(' ['); at >= 0; at = line.indexOf(' [', at + 1)) {
    const timeEnd = at + 2 + ACCESS_LOG_TIME_LENGTH;
    if (!line.startsWith('] "', timeEnd)) continue;
    const unixNano = parseAccessLogTime(line.slice(at + 2, timeEnd));
    if (unixNano !== undefined) return { start: at, end: timeEnd + 2, unixNano };
  }
  return undefined;
}

/** `host ident user`: the first two without blanks, the user with as many as it likes. */
function scanOrigin(text: string): Pick<AccessLogLine, 'host' | 'ident' | 'user'> | undefined {
  const hostEnd = text.indexOf(' ');
  const identEnd = text.indexOf(' ', hostEnd + 1);
  if (hostEnd <= 0 || identEnd < 0) return undefined;
  return {
    host: text.slice(0, hostEnd),
    ident: value(text.slice(hostEnd + 1, identEnd)),
    user: value(text.slice(identEnd + 1)),
  };
}

interface Tail {
  readonly referer?: Quoted;
  readonly userAgent?: Quoted;
  readonly rest: string;
}

/** ` "referer" "user agent"` when both are there, and what follows. */
function scanTail(line: string, start: number): Tail {
  const referer = line[start] === ' ' ? scanQuoted(line, start + 1) : undefined;
  const userAgent = referer && line[referer.end] === ' ' ? scanQuoted(line, referer.end + 1) : undefined;
  if (referer === undefined || userAgent === undefined) return { rest: line.slice(start).trimStart() };
  return { referer, userAgent, rest: line.slice(userAgent.end).trimStart() };
}

/** `-` and nothing both mean: there is none. */
function value(text: string | undefined): string | undefined {
  return text === '-' || text === '' ? undefined : text;
}
