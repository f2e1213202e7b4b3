import type { Logger } from 'pino';
import { repeat } from '../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../runtime/clock.ts';
import type { Publisher } from './publisher/publisher.ts';

/**
 * For a run that ends by itself and that a person or a script waits for. Logs once that no aggregator is
 * reachable, and fails when there is none for too long, at the start or later. The publisher keeps trying.
 */
export function awaitAggregator(publisher: Pick<Publisher, 'connectedTo'>, options: AwaitOptions): Cancel {
  const { addresses, clock, logger, timeoutMs = Number.POSITIVE_INFINITY, fail } = options;
  let awaySinceMs = clock.monotonicMs();
  let isLogged = false;
  const cancel = repeat(clock, CHECK_INTERVAL_MS, check);
  return cancel;

  function check(): void {
    const nowMs = clock.monotonicMs();
    if (publisher.connectedTo !== undefined) awaySinceMs = nowMs;
    const awayMs = nowMs - awaySinceMs;
    if (awayMs >= LOG_AFTER_MS && !isLogged) {
      isLogged = true;
      logger.warn(
        { addresses },
        'Waiting for an aggregator; `mega-collector aggregator` starts one on this machine',
      );
    }
    if (awayMs < timeoutMs) return;
    cancel();
    fail?.(unreachable(addresses, timeoutMs));
  }
}

const LOG_AFTER_MS = 3_000;
const CHECK_INTERVAL_MS = 500;

interface AwaitOptions {
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Maximum time without an aggregator; undefined: no limit. */
  readonly timeoutMs?: number;
  /** Called with the error after the timeout. */
  readonly fail?: (error: Error) => void;
}

function unreachable(addresses: readonly string[], timeoutMs: number): Error {
  return new Error(
    `Cannot reach an aggregator at ${addresses.join(', ')} within ${timeoutMs / 1000} s. Start one (mega-collector aggregator), ` +
      'name its address with --aggregator-address, or wait longer with --aggregator-timeout.',
  );
}
