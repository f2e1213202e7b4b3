import { z } from 'zod';
import { compileExpression } from '../expressions/compile-expression.ts';
import { ExpressionError } from '../expressions/expression-error.ts';
import { MAX_EXPRESSION, parseExpression } from '../expressions/parse-expression.ts';
import type { LogRecord } from '../records/log-record.ts';
import type { RecordBatch } from '../records/record-batch.ts';
import { HttpError } from '../runtime/http/http-error.ts';

/** What a tap shows of the records that pass its point. */
export interface TapRequest {
  /** The records of a batch at the point; absent: all of them. */
  readonly stage?: ((batch: RecordBatch) => readonly RecordBatch[]) | undefined;
  readonly matches: ((record: LogRecord) => boolean) | undefined;
  /** Records. */
  readonly limit: number | undefined;
  /** Includes the bytes of each record. */
  readonly raw: boolean;
}

/** Why a tap has ended: `limit`, `stopped` (the process stops), or `failed: reason`. */
export type TapEnd = 'limit' | 'stopped' | `failed: ${string}`;

/** The query of a request. */
export const tapQuery = z.strictObject({
  point: z.string().min(1).max(4096).meta({ description: 'One of `GET /v1/tap/points`.' }),
  where: z
    .string()
    .max(MAX_EXPRESSION)
    .optional()
    .meta({ description: 'Only records for which this expression is true.' }),
  limit: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .meta({ description: 'Ends after this number of records.' }),
  raw: z.boolean().optional().meta({ description: 'Include the bytes of each record.' }),
});
export type TapQuery = z.infer<typeof tapQuery>;

export const tapPoints = z.object({
  points: z.array(z.object({ point: z.string(), description: z.string() })),
  omitted: z.number().meta({ description: 'Points that are not in the list because it would be too long.' }),
});
export type TapPoints = z.infer<typeof tapPoints>;

/** Throws HttpError for an invalid expression. */
export function tapRequestOf({ where, limit, raw = false }: TapQuery): TapRequest {
  return { matches: where === undefined ? undefined : predicateOf(where), limit, raw };
}

function predicateOf(where: string): (record: LogRecord) => boolean {
  try {
    return compileExpression(parseExpression(where));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const problems = [{ path: 'where', message: error.message }];
    throw new HttpError(400, 'invalid-request', 'The request has a problem.', { problems });
  }
}
