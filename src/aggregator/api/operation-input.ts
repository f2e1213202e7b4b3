import { z } from 'zod';
import { identifier } from '../../monitoring/metric-definition.ts';
import { schemaProblems } from '../../runtime/configuration/schema-problems.ts';
import type { HttpParameters, HttpRequest } from '../../runtime/http/http-contract.ts';
import { HttpError, type HttpProblem } from '../../runtime/http/http-error.ts';
import { parseQuery } from '../../runtime/http/http-query.ts';
import type { Operation, OperationInput } from './operation.ts';
import { queryValue } from './query-value.ts';
import { knownKeys } from './request-schema.ts';
import { unstorableTexts } from './unstorable-texts.ts';

const NO_QUERY = z.strictObject({});
const MAX_PROBLEMS = 20;
const MAX_SHOWN_CHARACTERS = 200;

/** What a request says, held against the schemas of the operation. Throws HttpError with all that is wrong. */
export async function operationInput(
  { path, query: querySchema = NO_QUERY, body: bodySchema }: Operation,
  request: HttpRequest,
  parameters: HttpParameters,
): Promise<OperationInput<unknown, unknown>> {
  const problems: HttpProblem[] = [];
  const check = (schema: z.ZodType, value: unknown, place = '') => {
    const texts = unstorableTexts(value, place);
    const result = schema.safeParse(value);
    if (result.success && texts.length === 0) return result.data;
    problems.push(...texts, ...problemsOf(schema, result.error, place));
    return undefined;
  };
  const id = parameters.get('id') ?? '';
  if (path.includes('{id}')) check(identifier, id, 'id');
  const { value, problems: queryProblems } = queryValue(querySchema, parseQuery(request.query));
  problems.push(...queryProblems);
  const query = check(querySchema, value);
  const body = bodySchema === undefined ? undefined : check(bodySchema, await request.json());
  if (problems.length > 0) throw invalid(problems);
  return { id, query, body, request };
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
