import type { RecordContext } from '../../records/record-context.ts';
import { ByteCursor } from '../byte-cursor.ts';
import { readTimestamp } from './timestamp.ts';
import { wallTimeToUnixNano, zoneOf } from './wall-time.ts';

/**
 * Nanoseconds since 1970 of a date and time without a zone, in the zone of the source. undefined without such
 * a zone: then the text is not a moment.
 */
export function parseLocalTime(text: string, context: RecordContext | undefined): bigint | undefined {
  return zoneOf(context) === undefined ? undefined : parseUnzonedTime(text, context);
}

/** The same for programs that always write local times: without a zone of the source, the time is in UTC. */
export function parseUnzonedTime(text: string, context: RecordContext | undefined): bigint | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const bytes = Buffer.from(text);
  const cursor = new ByteCursor(bytes, 0, bytes.length);
  const time = readTimestamp(cursor);
  return time === undefined || !cursor.isAtEnd ? undefined : wallTimeToUnixNano(time, context);
}

const MAX_LENGTH = 64;
