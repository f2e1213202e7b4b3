import { z } from 'zod';
import { schemaProblems } from '../configuration/schema-problems.ts';
import type { HttpParameters, HttpRequest } from '../http/http-contract.ts';
import { HttpError, type HttpProblem } from '../http/http-error.ts';
import { parseQuery } from '../http/http-query.ts';
import type { Operation, OperationInput } from './operation.ts';
import { queryValue } from './query-value.ts';
import { knownKeys } from './request-schema.ts';
import { unstorableTexts } from './unstorable-texts.ts';

const NOTHING = z.strictObject({});
const MAX_PROBLEMS = 20;
const MAX_SHOWN_CHARACTERS = 200;

/** Checks a request against the schemas of its operation. Throws HttpError with all problems. */
export async function operationInput(
  {
    parameters: parametersSchema = NOTHING,
    query: querySchema = NOTHING,
    ...operation
  }: Pick<Operation<never>, 'parameters' | 'query' | 'body' | 'readListItem'>,
  request: HttpRequest,
  pathTexts: HttpParameters,
): Promise<OperationInput<unknown, unknown, unknown>> {
  const problems: HttpProblem[] = [];
  const check = (schema: z.ZodType, value: unknown, place = '') => {
    const texts = unstorableTexts(value, place);
    const result = schema.safeParse(value);
    if (result.success && texts.length === 0) return result.data;
    problems.push(...texts, ...problemsOf(schema, result.error, place));
    return undefined;
  };
  const parameters = check(parametersSchema, Object.fromEntries(pathTexts));
  const given = queryValue(querySchema, parseQuery(request.query), operation.readListItem);
  problems.push(...given.problems);
  const query = check(querySchema, given.value);
  const body = operation.body === undefined ? undefined : check(operation.body, await request.json());
  if (problems.length > 0) throw invalid(problems);
  return { parameters, query, body, request };
}

function problemsOf(schema: z.ZodType, error: z.ZodError | undefined, place: string): readonly HttpProblem[] {
  if (error === undefined) return [];
  return schemaProblems(place, error, (path) => knownKeys(schema, path)).map(({ variable, message }) => ({
    path: variable.replace(/^\./, ''),
    message,
  }));
}

function invalid(problems: readonly HttpProblem[]): HttpError {
  const shown = problems
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => ({ path: shortened(path), message: shortened(message) }));
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new HttpError(400, 'invalid-request', `The request has ${count}.`, { problems: shown });
}

function shortened(text: string): string {
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text;
}
