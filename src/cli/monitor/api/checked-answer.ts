import type { z } from 'zod';
import { schemaText } from '../../../runtime/configuration/schema-problems.ts';
import { sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import { ApiError } from './api-error.ts';
import type { Connection } from './connection.ts';

/**
 * Parses JSON of this shape. Throws ApiError: another program listens at the address, or an aggregator of
 * another version.
 */
export function checkedAnswer<T>(connection: Connection, text: string, schema: z.ZodType<T>): T {
  const result = read(connection, text, schema);
  if (result.success) return result.data;
  throw unexpectedAnswer(connection, schemaText('answer', result.error));
}

function read<T>(connection: Connection, text: string, schema: z.ZodType<T>): z.ZodSafeParseResult<T> {
  try {
    return schema.safeParse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw unexpectedAnswer(connection, 'It is not JSON.');
    // The stack is exhausted.
    if (error instanceof RangeError) throw unexpectedAnswer(connection, 'It is nested too deeply.');
    throw error;
  }
}

const LONGEST = 2000;

export function unexpectedAnswer({ url }: Connection, details: string): ApiError {
  const lines = details.slice(0, LONGEST).split('\n').map(sanitizeForTerminal).join('\n');
  return new ApiError(
    `Unexpected answer from ${url}. Check that it is an aggregator of this version.\n${lines}`,
    { isTransient: false },
  );
}
