import { z } from 'zod';
import { schemaText } from '../configuration/schema-problems.ts';
import type { HttpReply } from '../http/http-call.ts';
import { OperationError } from './operation-error.ts';

const errorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    problems: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
  }),
});

/**
 * Reads the answer to an operation, and checks it: the process may be of another version. Fields that this
 * version does not know are ignored. Throws OperationError.
 */
export function operationAnswer<Answer>(
  { answer }: { readonly answer?: z.ZodType<Answer> | undefined },
  { status, text }: HttpReply,
): Answer {
  if (status < 200 || status > 299) throw rejected(status, text);
  if (answer === undefined) return undefined as Answer;
  const result = answer.safeParse(parsed(text));
  if (result.success) return result.data;
  throw new OperationError(
    status,
    'unexpected-answer',
    `Cannot read the answer of the process that owns the state (is it of another version?): ${schemaText('answer', result.error)}. Run the same version.`,
  );
}

function rejected(status: number, text: string): OperationError {
  const { data } = errorBody.safeParse(parsed(text));
  if (data === undefined) {
    const message = `Cannot read the answer of the process that owns the state: HTTP status ${status}. Run the same version.`;
    return new OperationError(status, 'unexpected-answer', message);
  }
  const { code, message, problems } = data.error;
  const lines = problems.map((problem) => `\n  ${problem.path}: ${problem.message}`);
  return new OperationError(status, code, `${message}${lines.join('')}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
