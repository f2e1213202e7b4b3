import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import type { Address } from '../../runtime/configuration/address.ts';
import type { HttpMount } from '../../runtime/http/http-contract.ts';
import { routed } from '../../runtime/http/http-router.ts';
import { Admission } from './admission.ts';
import { noStore, unavailable } from './api-error.ts';
import { apiRoutes } from './api-routes.ts';
import type { ApiStore, UnavailableStore } from './api-store.ts';
import { createApiEvents } from './events.ts';
import { guarded } from './guard.ts';
import { LogTail } from './log-tail.ts';
import { openApiDocument } from './openapi.ts';
import { OPERATIONS } from './operations.ts';

export interface ApiOptions {
  /** What there is at the moment of a request. undefined: no store is configured. */
  readonly store: () => ApiStore | UnavailableStore | undefined;
  /** Whoever sends it may ask; undefined: only this machine may. Not empty. */
  readonly token: string | undefined;
  /** Where the server listens. */
  readonly listenAddress: Address;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

const MAX_RUNNING = 8;
const MAX_WAITING = 32;
/** Shorter than the server lets a connection be silent: a client hears that it took too long. */
const TIME_LIMIT_MS = 20_000;

/**
 * The query API, everything under `/v1`:
 *
 *     guard -> route -> check of what is asked -> admission -> store
 *
 * What it can do stands in `operations.ts`. Limits: 8 questions at once and 32 in line, 20 seconds for one, 16 listeners.
 */
export function createApi({ store, token, listenAddress, clock, logger, metrics }: ApiOptions): HttpMount {
  const events = createApiEvents(logger, metrics, clock);
  let document: object | undefined;
  const routes = apiRoutes({
    operations: OPERATIONS,
    context: {
      store: () => {
        const found = store();
        if (found === undefined) throw noStore();
        if ('unavailable' in found) throw unavailable(found.unavailable);
        return found;
      },
      tail: new LogTail({ clock, events }),
      // Few ask for it, and the start should not wait for it.
      get document() {
        document ??= openApiDocument(OPERATIONS);
        return document;
      },
    },
    admission: new Admission({
      maxRunning: MAX_RUNNING,
      maxWaiting: MAX_WAITING,
      timeLimitMs: TIME_LIMIT_MS,
      clock,
    }),
    clock,
    events,
  });
  const handler = guarded(routed(routes), { token, listenAddress, clock, events });
  return { prefix: '/v1', handler };
}
