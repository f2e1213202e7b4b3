import { type Sql, sql } from '../sql/sql.ts';
import type { SqlDialect } from '../sql/sql-dialect.ts';
import { CursorError } from './log-search.ts';

/**
 * The last entry of a page: the next page begins right after it, whatever has been stored in the meantime.
 */
export interface Cursor {
  readonly timeUnixMicro: number;
  /** 32 hexadecimal digits. */
  readonly stream: string;
  readonly position: number;
}

/** Opaque to clients: base64url of `[time, stream, position]`. */
export function encodeCursor({ timeUnixMicro, stream, position }: Cursor): string {
  return Buffer.from(JSON.stringify([timeUnixMicro, stream, position])).toString('base64url');
}

/** Throws CursorError. */
export function decodeCursor(text: string): Cursor {
  const [timeUnixMicro, stream, position, ...more] = partsOf(text);
  if (!isAmount(timeUnixMicro) || !isAmount(position)) throw invalid();
  if (typeof stream !== 'string' || !STREAM.test(stream) || more.length > 0) throw invalid();
  return { timeUnixMicro, stream, position };
}

/** The records after the cursor in `NEWEST_FIRST`. The first comparison lets the database skip partitions. */
export function behindCursorSql(dialect: SqlDialect, { timeUnixMicro, stream, position }: Cursor): Sql {
  const time = dialect.timestamp(timeUnixMicro);
  return sql`time <= ${time} and (time < ${time} or stream > ${stream}::uuid
    or (stream = ${stream}::uuid and position < ${position}::bigint))`;
}

/** Records with the same time are sorted by stream, each stream backwards. */
export const NEWEST_FIRST = sql`time desc, stream, position desc`;

const STREAM = /^[0-9a-f]{32}$/;

function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function partsOf(text: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(parts)) return parts;
  } catch {
    // The text is not one of our cursors.
  }
  throw invalid();
}

function invalid(): CursorError {
  return new CursorError('expected the `next` of an earlier page, or no cursor');
}
