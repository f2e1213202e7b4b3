import type { AttributeValue } from '../../records/log-record.ts';
import { objectIn } from '../json.ts';
import type { ContainerLineSyntax, IoStream, LineContent, LineShape } from './container-line-syntax.ts';

/**
 * The lines of Docker's logging driver `json-file`. A `log` without a line feed at its end is a part of a line:
 * Docker splits after 16 KiB.
 *
 *     {"log":"the first part","stream":"stdout","time":"2026-11-28T10:00:00.123456789Z"}
 *     {"log":", and the rest\n","stream":"stdout","time":"2026-11-28T10:00:00.12345679Z"}
 */
export const dockerJsonLine: ContainerLineSyntax = {
  name: 'docker-json',
  lineName: 'a line of a json-file log of Docker',
  shapeOf: (bytes: Buffer, start: number, end: number) =>
    shapeInOrder(bytes, start, end) ?? contentOf(bytes, start, end),
  contentOf,
};

const BEGINNING = Buffer.from('{"log":"');
/** An unescaped quote is always the end of the text, so these bytes are never inside of it. */
const AFTER_LOG = Buffer.from('","stream":"std');
const OPEN_BRACE = 0x7b;
const BACKSLASH = 0x5c;
const LETTER_N = 0x6e;

/**
 * Docker always writes the keys in the same order, so most lines need not be parsed to be joined. Undefined for
 * other lines.
 */
function shapeInOrder(bytes: Buffer, start: number, end: number): LineShape | undefined {
  const textStart = start + BEGINNING.length;
  if (end <= textStart || BEGINNING.compare(bytes, start, textStart) !== 0) return undefined;
  const textEnd = bytes.subarray(0, end).indexOf(AFTER_LOG, textStart - 1);
  if (textEnd < textStart) return undefined;
  const nameAt = textEnd + AFTER_LOG.length;
  const name = bytes.toString('latin1', nameAt, nameAt + 'out"'.length);
  const iostream = name === 'out"' ? 'stdout' : name === 'err"' ? 'stderr' : undefined;
  return iostream && { iostream, isPartial: !endsWithLineFeed(bytes, textStart, textEnd) };
}

/** Whether the JSON text in `[start, end)` ends with `\n`; the backslash itself may be escaped. */
function endsWithLineFeed(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[end - 1] !== LETTER_N) return false;
  let at = end - 1;
  while (at > start && bytes[at - 1] === BACKSLASH) at--;
  return (end - 1 - at) % 2 === 1;
}

function contentOf(bytes: Buffer, start: number, end: number): LineContent | undefined {
  if (bytes[start] !== OPEN_BRACE) return undefined;
  const read = objectIn(bytes.toString('utf8', start, end));
  if (typeof read === 'string') return undefined;
  const { log, stream, time, attrs } = read.object;
  if (typeof log !== 'string' || typeof time !== 'string' || !isIoStream(stream)) return undefined;
  const text = log.endsWith('\n') ? log.slice(0, log.endsWith('\r\n') ? -2 : -1) : log;
  const attributes = typeof attrs === 'object' && attrs !== null ? { attrs } : undefined;
  return { iostream: stream, isPartial: !log.endsWith('\n'), time, message: Buffer.from(text), attributes };
}

function isIoStream(value: AttributeValue | undefined): value is IoStream {
  return value === 'stdout' || value === 'stderr';
}
