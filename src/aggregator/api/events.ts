import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';

/** What happens at the API, logged and counted in one place. */
export interface ApiEvents {
  answered(operation: string, status: number, durationMs: number): void;
  /** Nobody who may ask. */
  refused(reason: RefusalReason, peer: string): void;
  /** A fault of ours. */
  failed(operation: string, error: unknown): void;
  /** So many follow now. */
  listening(count: number): void;
  /** So many entries were left out for somebody who follows. */
  skipped(count: number): void;
}

export type RefusalReason = 'token' | 'peer' | 'host' | 'origin' | 'proxy';

/** One who is turned away comes again; the counter has all of them. */
const REFUSALS_TOLD_EVERY_MS = 60_000;

export function createApiEvents(logger: Logger, metrics: Registry, clock: Clock): ApiEvents {
  const registers = [metrics];
  const seconds = new Histogram({
    name: 'aggregator_api_request_seconds',
    help: 'How long requests to the API took, waiting included; of a tail only its beginning.',
    labelNames: ['operation', 'status'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const refused = new Counter({
    name: 'aggregator_api_refused_requests_total',
    help: 'Requests to the API without the right to it.',
    labelNames: ['reason'],
    registers,
  });
  const listeners = new Gauge({ name: 'aggregator_api_listeners', help: 'Who follows logs now.', registers });
  const skipped = new Counter({
    name: 'aggregator_api_skipped_entries_total',
    help: 'Entries left out for listeners because more came than could be sent.',
    registers,
  });
  let toldMs = Number.NEGATIVE_INFINITY;
  return {
    answered: (operation, status, durationMs) => {
      seconds.observe({ operation, status }, durationMs / 1000);
    },
    refused: (reason, peer) => {
      refused.inc({ reason });
      if (clock.monotonicMs() - toldMs < REFUSALS_TOLD_EVERY_MS) return;
      toldMs = clock.monotonicMs();
      logger.warn({ reason, peer }, 'A request to the API was refused.');
    },
    failed: (operation, error) => {
      logger.error({ err: error, operation }, 'A request to the API could not be answered.');
    },
    listening: (count) => listeners.set(count),
    skipped: (count) => skipped.inc(count),
  };
}
