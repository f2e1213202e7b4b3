import { type Sql, sql } from '../sql/sql.ts';
import type { SqlDialect } from '../sql/sql-dialect.ts';
import { CursorError } from './log-search.ts';

/** The last entry of a page: the next one begins right behind it, whatever has been stored meanwhile. */
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

/** What comes behind it in `NEWEST_FIRST`. The first comparison says it to who looks for what need not be read. */
export function behindCursorSql(dialect: SqlDialect, { timeUnixMicro, stream, position }: Cursor): Sql {
  const time = dialect.timestamp(timeUnixMicro);
  return sql`time <= ${time} and (time < ${time} or stream > ${stream}::uuid
    or (stream = ${stream}::uuid and position < ${position}::bigint))`;
}

/** Of records of one time the last of its stream first: read backwards, a stream is in its order. */
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
    // Not ours, then.
  }
  throw invalid();
}

function invalid(): CursorError {
  return new CursorError('expected the `next` of a page before, or no cursor');
}
