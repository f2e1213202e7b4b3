import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import type { Address } from '../../runtime/configuration/address.ts';
import { CounterRates } from '../../runtime/counter-rates.ts';
import type { HttpHandler, HttpMount, HttpRoute } from '../../runtime/http/http-contract.ts';
import { routed } from '../../runtime/http/http-router.ts';
import type { Access } from '../../runtime/operations/access.ts';
import { operationRoutes } from '../../runtime/operations/operation-routes.ts';
import { ownerHandler } from '../../runtime/operations/owner-handler.ts';
import { SecretToken } from './access/secret-token.ts';
import { Sessions } from './access/sessions.ts';
import { SignIn } from './access/sign-in.ts';
import { Admission } from './admission.ts';
import { apiError, noStore, unavailable } from './api-error.ts';
import { API_EVENTS, type ApiEvents } from './events.ts';
import { guarded, type TokenAccess } from './guard.ts';
import { LogExport } from './log-export.ts';
import { LogTail } from './log-tail.ts';
import { openApiDocument } from './openapi.ts';
import type { ApiStore, UnavailableStore } from './operations/api-store.ts';
import type { ExpressionContext } from './operations/expression-operations.ts';
import type { FilterContext } from './operations/filter-operations.ts';
import type { IntakeContext } from './operations/intake-operations.ts';
import {
  DESCRIPTION_OPERATIONS,
  NETWORK_OPERATIONS,
  STATE_OPERATIONS,
  STORE_OPERATIONS,
} from './operations/operations.ts';
import type { QueueContext } from './operations/queue-context.ts';
import type { RecordContext } from './operations/record-operations.ts';
import { SESSION_OPERATIONS, type StoreName } from './operations/session-operations.ts';
import type { TapContext } from './operations/tap-operations.ts';

export interface ApiOptions extends Omit<QueueContext, 'queue'>, FilterContext, IntakeContext, TapContext {
  /** The store at the moment of a request. undefined: no store is configured. */
  readonly store: () => ApiStore | UnavailableStore | undefined;
  /** The queue, or the reason why there is none, as a sentence. */
  readonly queue: () => ReturnType<QueueContext['queue']> | string;
  /** Not empty. undefined: only this machine has access. */
  readonly token: string | undefined;
  /** The address at which `network` is served. */
  readonly listenAddress: Address;
  /** Of this program. */
  readonly version?: string;
  /** The kind of the store that is queried. */
  readonly storeName?: StoreName | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/** The same operations for both transports. */
export interface Api {
  /** For the HTTP address: everything under `/v1`, guarded. */
  readonly network: HttpMount;
  /** For the Unix socket of the state directory, which only the owner can open. */
  readonly owner: HttpHandler;
}

const MAX_RUNNING = 8;
const MAX_WAITING = 32;
/** Shorter than the server's limit for a silent connection: the client receives the error. */
const TIME_LIMIT_MS = 20_000;

/**
 * The API of an aggregator, over two transports:
 *
 *     HTTP address -> guard -.
 *                            +-> route -> access -> check of the request -> admission -> store
 *     Unix socket -----------'                                           `-> queue
 *
 * The operations are in `operations/operations.ts`, the rule of access is in
 * `src/runtime/operations/access.ts`. Limits for both transports together: 8 queries of the store run and 32
 * wait, each for at most 20 seconds; 16 clients follow logs, and 4 export them.
 */
export function createApi(options: ApiOptions): Api {
  const { listenAddress, clock, logger, metrics } = options;
  const events = API_EVENTS.open({ logger, metrics, clock });
  const admission = new Admission({
    maxRunning: MAX_RUNNING,
    maxWaiting: MAX_WAITING,
    timeLimitMs: TIME_LIMIT_MS,
    clock,
  });
  const access = tokenAccess(options, events);
  const admit: ExpressionContext['admit'] = (signal, task) => admission.run(signal, task);
  const tail = new LogTail({ clock, events });
  const exports = new LogExport({ clock, events, admission });
  const routes = (proven: Access): readonly HttpRoute[] => {
    const context = createContext(options, { tail, exports, admit, proven });
    const common = { context, proven, clock, events, errorOf: apiError };
    return [
      ...operationRoutes({
        ...common,
        operations: STORE_OPERATIONS,
        admit,
      }),
      ...operationRoutes({ ...common, operations: STATE_OPERATIONS }),
      ...operationRoutes({ ...common, operations: DESCRIPTION_OPERATIONS }),
    ];
  };
  const proven = access === undefined ? 'machine' : 'token';
  const session = { ...options, signIn: access?.signIn };
  const sessionRoutes = operationRoutes({
    operations: SESSION_OPERATIONS,
    context: session,
    proven,
    clock,
    events,
  });
  const network = routed([...routes(proven), ...sessionRoutes]);
  return {
    network: { prefix: '/v1', handle: guarded(network, { access, listenAddress, clock, events }) },
    owner: ownerHandler(routes('owner')),
  };
}

function tokenAccess(
  { token, listenAddress: { port }, clock }: ApiOptions,
  events: ApiEvents,
): TokenAccess | undefined {
  if (token === undefined) return undefined;
  const secret = new SecretToken(token);
  const sessions = new Sessions(clock);
  return { token: secret, signIn: new SignIn({ token: secret, sessions, port, clock, events }) };
}

interface OwnContext extends Pick<RecordContext, 'tail' | 'exports' | 'proven'> {
  readonly admit: ExpressionContext['admit'];
}

function createContext(options: ApiOptions, own: OwnContext) {
  let document: object | undefined;
  return {
    ...options,
    ...own,
    streamRates: new CounterRates(options.clock),
    store: () => {
      const found = options.store();
      if (found === undefined) throw noStore();
      if ('unavailable' in found) throw unavailable(found.unavailable);
      return found;
    },
    queue: () => {
      const found = options.queue();
      if (typeof found === 'string') throw unavailable(found);
      return found;
    },
    // Created at the first request: few clients need it.
    get document() {
      document ??= openApiDocument(NETWORK_OPERATIONS);
      return document;
    },
  };
}
