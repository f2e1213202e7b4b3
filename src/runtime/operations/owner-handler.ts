import type { HttpHandler, HttpRoute } from '../http/http-contract.ts';
import { HttpError } from '../http/http-error.ts';
import { routed } from '../http/http-router.ts';

/** Handles the requests of the commands: over the Unix socket, or in the process of the command itself. */
export function ownerHandler(routes: readonly HttpRoute[]): HttpHandler {
  return routed(routes, UNKNOWN_OPERATION);
}

const UNKNOWN_OPERATION = new HttpError(
  404,
  'unknown-operation',
  'Cannot answer this request: the process that owns the state does not know it. Run the same version of the process and of the command.',
);
