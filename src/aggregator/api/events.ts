import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import type { OperationEvents } from '../../runtime/operations/operation-events.ts';

/** What happens at the API, for the log and the metrics. */
export interface ApiEvents extends OperationEvents {
  /** A client without access. */
  refused(reason: RefusalReason, peer: string): void;
  /** The number of clients that follow logs. */
  listening(count: number): void;
  /** Entries that were left out for a client that follows logs. */
  skipped(count: number): void;
}

export type RefusalReason = 'token' | 'peer' | 'host' | 'origin' | 'proxy';

/** A rejected client tries again; the counter has all attempts. */
const REFUSALS_LOGGED_EVERY_MS = 60_000;

export function createApiEvents(logger: Logger, metrics: Registry, clock: Clock): ApiEvents {
  const registers = [metrics];
  const seconds = new Histogram({
    name: 'aggregator_api_request_seconds',
    help: 'Duration of requests to the API, including the wait; of a tail only its beginning.',
    labelNames: ['operation', 'status'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const refused = new Counter({
    name: 'aggregator_api_refused_requests_total',
    help: 'Requests to the API without access.',
    labelNames: ['reason'],
    registers,
  });
  const listeners = new Gauge({
    name: 'aggregator_api_listeners',
    help: 'Clients that follow logs.',
    registers,
  });
  const skipped = new Counter({
    name: 'aggregator_api_skipped_entries_total',
    help: 'Entries left out for clients that follow logs, because more came than could be sent.',
    registers,
  });
  let loggedMs = Number.NEGATIVE_INFINITY;
  return {
    answered: (operation, status, durationMs) => {
      seconds.observe({ operation, status }, durationMs / 1000);
    },
    refused: (reason, peer) => {
      refused.inc({ reason });
      if (clock.monotonicMs() - loggedMs < REFUSALS_LOGGED_EVERY_MS) return;
      loggedMs = clock.monotonicMs();
      logger.warn({ reason, peer }, 'Rejected a request to the API');
    },
    failed: (operation, error) => {
      logger.error({ err: error, operation }, 'Cannot answer a request to the API');
    },
    listening: (count) => listeners.set(count),
    skipped: (count) => skipped.inc(count),
  };
}
