import { z } from 'zod';
import { harmless } from '../terminal/harmless.ts';
import { ApiError } from './api-error.ts';
import type { Connection } from './connection.ts';

/** What the API answers when it does not do what it was asked for. */
const errorAnswer = z.object({
  error: z.object({
    code: z.string().optional(),
    message: z.string(),
    problems: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
});
type ErrorAnswer = z.infer<typeof errorAnswer>['error'];

export interface Refused {
  readonly connection: Connection;
  readonly status: number;
  readonly body: string;
}

/** An answer that is no success, as a sentence for a person. */
export function refusal({ connection, status, body }: Refused): ApiError {
  const answer = parse(body);
  return new ApiError(sentence({ connection, status, answer }), {
    isTransient: status === 429 || status >= 500,
    status,
  });
}

function sentence({
  connection: { url, token },
  status,
  answer,
}: Pick<Refused, 'connection' | 'status'> & { readonly answer: ErrorAnswer | undefined }): string {
  const said = answer === undefined ? undefined : shown(answer);
  switch (status) {
    case 401:
      return token === undefined
        ? `The aggregator at ${url} wants a token: set AGGREGATOR_HTTP_TOKEN, or name a file with --token-file.`
        : `The aggregator at ${url} does not accept the token.`;
    case 403:
      return said ?? `The aggregator at ${url} does not allow this.`;
    case 404:
      return said ?? `Nothing answers to this at ${url}: is it an aggregator, and of this version?`;
    case 503:
      return `The aggregator at ${url} cannot answer now: ${said ?? 'its store is not available.'}`;
    case 504:
      return said ?? 'It took too long: ask for less, such as a shorter time (--from).';
    default:
      return said ?? `The aggregator at ${url} answered ${status}.`;
  }
}

const LONGEST = 1000;

function shown({ message, problems = [] }: ErrorAnswer): string {
  const lines = problems.map((each) => `\n  ${short(each.path)}: ${short(each.message)}`);
  return `${short(message)}${lines.join('')}`;
}

function short(text: string): string {
  return harmless(text.slice(0, LONGEST));
}

function parse(body: string): ErrorAnswer | undefined {
  try {
    return errorAnswer.safeParse(JSON.parse(body)).data?.error;
  } catch {
    return undefined;
  }
}
