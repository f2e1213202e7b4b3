import { z } from 'zod';
import { sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import { ApiError } from './api-error.ts';
import type { Connection } from './connection.ts';

/** Describes an answer with an error status in a sentence for a person. */
export function rejectionError({ connection, status, body }: RejectedRequest): ApiError {
  const answer = parse(body);
  return new ApiError(sentence({ connection, status, answer }), {
    isTransient: status === 429 || status >= 500,
    status,
  });
}

/** The body of an answer with an error status. */
const errorAnswer = z.object({
  error: z.object({
    code: z.string().optional(),
    message: z.string(),
    problems: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
});
type ErrorAnswer = z.infer<typeof errorAnswer>['error'];

export interface RejectedRequest {
  readonly connection: Connection;
  readonly status: number;
  readonly body: string;
}

function sentence({
  connection: { url, token },
  status,
  answer,
}: Pick<RejectedRequest, 'connection' | 'status'> & { readonly answer: ErrorAnswer | undefined }): string {
  const stated = answer === undefined ? undefined : shown(answer);
  switch (status) {
    case 401:
      return token === undefined
        ? `The aggregator at ${url} requires a token. Set AGGREGATOR_HTTP_TOKEN, or name a file with --token-file.`
        : `The aggregator at ${url} rejected the token. Check AGGREGATOR_HTTP_TOKEN or --token-file.`;
    case 403:
      return stated ?? `The aggregator at ${url} denied the request.`;
    case 404:
      return stated ?? `${url} does not know this request. Check that it is an aggregator of this version.`;
    case 503:
      return `The aggregator at ${url} cannot answer now: ${stated ?? 'its store is not available.'}`;
    case 504:
      return stated ?? 'The query took too long. Request a shorter time range (--from).';
    default:
      return stated ?? `The aggregator at ${url} answered with status ${status}.`;
  }
}

const LONGEST = 1000;

function shown({ message, problems = [] }: ErrorAnswer): string {
  const lines = problems.map((each) => `\n  ${short(each.path)}: ${short(each.message)}`);
  return `${short(message)}${lines.join('')}`;
}

function short(text: string): string {
  return sanitizeForTerminal(text.slice(0, LONGEST));
}

function parse(body: string): ErrorAnswer | undefined {
  try {
    return errorAnswer.safeParse(JSON.parse(body)).data?.error;
  } catch {
    return undefined;
  }
}
