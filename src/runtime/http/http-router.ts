import type { HttpHandler, HttpParameters, HttpRoute } from './http-contract.ts';
import { HttpError } from './http-error.ts';

/**
 * Passes a request to the first route that matches its method and path. `unknownPath`: the answer when no
 * route has the path.
 */
export function routed(routes: readonly HttpRoute[], unknownPath = UNKNOWN_PATH): HttpHandler {
  const table = routes.map((route) => ({ route, pattern: route.path.split('/') }));
  return (request) => {
    const segments = request.path.split('/');
    const fitting = table.filter(({ pattern }) => fits(pattern, segments));
    if (fitting.length === 0) throw unknownPath;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const hit = fitting.find(({ route }) => route.method === method);
    if (hit === undefined) throw methodNotAllowed(fitting.map(({ route }) => route));
    return hit.route.handle(request, parametersOf(hit.pattern, segments));
  };
}

const UNKNOWN_PATH = new HttpError(404, 'not-found', 'There is nothing at this path.');

const PARAMETER = /^\{(.+)\}$/;

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, at) => (PARAMETER.test(part) ? segments[at] !== '' : part === segments[at]))
  );
}

function parametersOf(pattern: readonly string[], segments: readonly string[]): HttpParameters {
  const parameters = new Map<string, string>();
  pattern.forEach((part, at) => {
    const name = PARAMETER.exec(part)?.[1];
    if (name !== undefined) parameters.set(name, decoded(name, segments[at] ?? ''));
  });
  return parameters;
}

function decoded(name: string, segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    const problems = [{ path: name, message: 'expected percent-encoded UTF-8' }];
    throw new HttpError(400, 'invalid-request', 'Cannot parse the path.', { problems });
  }
}

function methodNotAllowed(routes: readonly HttpRoute[]): HttpError {
  const methods = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const allow = methods.join(', ');
  return new HttpError(405, 'method-not-allowed', `This path accepts only ${allow}.`, { headers: { allow } });
}
